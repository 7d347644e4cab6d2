import { HURRIES } from '../inside/hurries.js';
import { tryAdversity, type Adversity } from './adversity.js';
import type { Context } from './context.js';
import type { Trial } from './outcome.js';

/** A unit with no name in the world, started at once. */
const service = (name: string, script: string): string => `cat >/etc/systemd/system/${name}.service <<'EOF'
[Service]
ExecStart=/bin/sh -c '${script}'
EOF
systemctl daemon-reload && systemctl start ${name}`;
const without = (name: string): string => `systemctl stop ${name}; rm /etc/systemd/system/${name}.service; systemctl daemon-reload`;

/** A disk of its own, which can be told to answer no more: whoever waits for it cannot be killed (state D of proc(5)). */
const DISK = `fallocate -l 64M /var/silent
dmsetup create silent --table "0 $((64 * 2048)) linear $(losetup --find --show /var/silent) 0"
mkfs.ext4 -q /dev/mapper/silent && mkdir -p /mnt/silent && mount /dev/mapper/silent /mnt/silent`;
const FALLS_SILENT = 'dmsetup suspend --noflush --nolockfs silent';
const ANSWERS = `dmsetup resume silent
until umount /mnt/silent; do sleep 0.1; done
dmsetup remove silent && losetup --detach-all && rm /var/silent`;
/** What is in memory of it cannot be written any more. */
const WRITES = 'dd if=/dev/zero of=/mnt/silent/file bs=1M count=8 status=none';

const ADVERSITIES: readonly Adversity[] = [
  { what: 'a disk does not answer from before anybody is stopped', before: DISK, after: ANSWERS, moment: 'make a cgroup of the lowest weight', deed: `${WRITES}; ${FALLS_SILENT}` },
  { what: 'a disk does not answer as everything is written to disk', before: DISK, after: ANSWERS, moment: 'seal the hand-over', deed: `${WRITES}; ${FALLS_SILENT}` },
  {
    what: 'a task waits for a disk that does not answer',
    before: `${DISK}\n${service('waiting', 'until [ -e /run/now ]; do sleep 0.1; done; exec dd if=/dev/zero of=/mnt/silent/file bs=1M count=1 oflag=sync')}`,
    after: `rm /run/now; ${ANSWERS}\n${without('waiting')}`,
    // It is the next to be imaged.
    moment: 'lock the sockets of those of priority 20',
    deed: `kill -STOP $segue; ${FALLS_SILENT}; touch /run/now; until grep -q '^State:.D' /proc/$(systemctl show -P MainPID waiting)/status; do sleep 0.1; done; kill -CONT $segue`,
  },
  { what: 'a task forks all the time', before: service('forking', 'while :; do /bin/true; done'), after: without('forking') },
  {
    what: 'a task ends as it is to be imaged',
    before: service('mortal', 'while :; do sleep 1; done'),
    after: without('mortal'),
    moment: 'lock the sockets of those of priority 20',
    deed: 'kill -KILL "$(systemctl show -P MainPID mortal)"',
  },
  {
    what: 'segue is killed while a workload is slowed down',
    before: `systemd-run --quiet --expand-environment=no --unit=hurries perl -e '${HURRIES}'`,
    after: 'systemctl stop hurries',
    moment: ', slowed down if it writes that as fast as it is read',
    deed: 'while kill -0 $segue && ! grep -qs "^[0-9]" /sys/fs/cgroup/system.slice/hurries.service/cpu.max; do sleep 0.1; done; kill -KILL $segue',
  },
  // The kernel ends whoever has most.
  { what: 'memory runs out as workloads are imaged', after: ':', moment: 'hold new connections back', deed: `systemd-run --quiet --unit=greedy perl -e 'my @all; push @all, "x" x 2 ** 24 while 1'` },
];

/** Workloads and disks that do not let themselves be stopped. */
export async function* badWorkloads(context: Context): AsyncGenerator<Trial> {
  for (const adversity of ADVERSITIES) yield* tryAdversity(context, 'bad-workloads', adversity);
}
