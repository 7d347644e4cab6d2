import { STANDS_BY_ITSELF } from '../inside/attempt.js';
import { tryAdversity, type Adversity } from './adversity.js';
import type { Context } from './context.js';
import type { Trial } from './outcome.js';

/** All but so much of the disk is taken. */
const leaving = (mib: number): string => `fallocate -l "$(($(df --output=avail -B1 / | tail -n 1) - ${mib} * 1024 * 1024))" /var/filler`;
const STORE = '/var/lib/segue';

/** Who is held by a CRIU that waits for the disk itself waits with it, but nobody else. The disk answers when the others run. */
const ANSWERS_NO_MORE = `sysctl --quiet vm.dirty_background_bytes=65536 vm.dirty_bytes=1000000
container=$(basename /dev/mapper/segue-*)
dmsetup suspend --noflush --nolockfs "$container"
until grep -qs '^State:.D' $(grep -ls '^TracerPid:.[1-9]' /proc/[0-9]*/status | xargs sed -n 's,^TracerPid:.,/proc/,p' | sed 's,$,/status,'); do sleep 0.1; done
kill -KILL $segue
until grep -q '"event":"giving-up"' ${STORE}/upgrades/*/journal.ndjson && ! ${STANDS_BY_ITSELF}; do sleep 0.1; done
dmsetup resume "$container"`;

const STORES: readonly Adversity[] = [
  { what: 'the store is smaller than is needed', before: leaving(32), after: 'rm /var/filler' },
  { what: 'the store is read-only', before: `mkdir -p ${STORE} && mount --bind ${STORE} ${STORE} && mount -o remount,bind,ro ${STORE}`, after: `umount ${STORE}` },
  // The services are to have room for what they acknowledge meanwhile, as root and others have the same.
  { what: 'the disk is full as workloads are imaged', before: 'tune2fs -m 0 /dev/vda', after: 'rm /var/filler', moment: 'lock the sockets', deed: `[ -e /var/filler ] || ${leaving(2)}` },
  { what: 'the disk is full as snapshots are taken', before: 'tune2fs -m 0 /dev/vda', after: 'rm /var/filler', moment: 'count the system calls', deed: leaving(4) },
  { what: 'segue is killed as the disk of the container does not answer', after: 'sysctl --quiet vm.dirty_background_ratio=10 vm.dirty_ratio=20', moment: 'lock the sockets', deed: ANSWERS_NO_MORE },
];

/** A store that takes no images. */
export async function* badStores(context: Context): AsyncGenerator<Trial> {
  for (const store of STORES) yield* tryAdversity(context, 'bad-stores', store);
}
