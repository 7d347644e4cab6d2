import { matches } from '../demo/services.js';
import { REAL, replace } from '../inside/instead.js';
import { FILL_REDIS } from '../inside/redis-pages.js';
import { lookAfterBoot, type Expected } from './after-boot.js';
import type { Context } from './context.js';
import { tryInGuest } from './in-guest.js';
import { upgradeAndReturn } from './jump.js';
import type { Trial } from './outcome.js';

/** What becomes of one file of the hand-over, for the guest's bash, in the folder of the hand-over. */
interface Damage {
  readonly what: string;
  /** Whose it is, if it is a workload's. */
  readonly pattern?: string;
  /** The first file that this matches. */
  readonly file: string;
  readonly how: 'one bit is flipped' | 'it is missing' | 'it ends early' | 'its last line is missing' | 'it is of format 1' | 'most of it is missing';
}

/** Right before the jump, when all is sealed. */
interface Damaged {
  /** For the guest's shell, before the upgrade. */
  readonly before?: string;
  readonly damages: readonly Damage[];
  readonly states: readonly string[];
  readonly fate: Expected['fate'];
}

const HOW: Record<Damage['how'], string> = {
  'one bit is flipped': `perl -e 'open my $f, "+<:raw", $ARGV[0] or die; my $at = int((-s $f) / 2); seek $f, $at, 0; read $f, my $byte, 1; seek $f, $at, 0; print $f chr(ord($byte) ^ 4)' "$file"`,
  'it is missing': 'rm "$file"',
  'it ends early': 'truncate --size=-9 "$file"',
  'its last line is missing': 'sed -i "\\$d" "$file"',
  'most of it is missing': 'sync && truncate --size=1M "$file"',
  'it is of format 1': 'echo "segue-handover 1" >"$file"',
};

/** Stands in for kexec: damages the hand-over when the new kernel is to start. What is not there to be damaged stops it. */
const damaging = (damages: readonly Damage[]): string => `#!/bin/bash
set -eu
case "$*" in --exec*)
	cd /var/lib/segue/upgrades/*/handover
${damages.map(({ file, how }) => `	file=$(ls ${file} | head -n 1)\n	[ -n "$file" ] || exit 1\n	${HOW[how]}`).join('\n')}
	sync
	;;
esac
exec ${REAL}/kexec "$@"
`;

const image = (unit: string, name: string): string => `workloads/${unit}/trees/*/images/${name}`;
const of = (pattern: string, name: string, how: Damage['how']): Damage => ({ what: `${name} of ${pattern}`, pattern, file: name.endsWith('.img') ? image(pattern, name) : `workloads/${pattern}/${name}`, how });
const FLIPPED = 'one bit is flipped';
const GONE = 'it is missing';
const CUT_OFF = 'it ends early';

/** Each workload fails alone: several damages are tried in one upgrade, one in each. */
const WORKLOADS: readonly (readonly Damage[])[] = [
  [of('redis-server.service', 'pages-*.img', FLIPPED), of('postgresql@*.service', 'core-*.img', FLIPPED), of('nginx.service', 'tcp-stream-*.img', FLIPPED), of('recorder.service', 'inventory.img', GONE)],
  [of('redis-server.service', 'manifest', FLIPPED), of('postgresql@*.service', 'trees.list', FLIPPED), of('nginx.service', 'trees/*/restore.arguments', FLIPPED), of('recorder.service', 'files.img', CUT_OFF)],
  [of('redis-server.service', '*.tar', FLIPPED), of('postgresql@*.service', 'pages-*.img', GONE), of('nginx.service', 'manifest', GONE), of('recorder.service', 'manifest', 'its last line is missing')],
];

const handover = (file: string, how: Damage['how']): Damage => ({ what: `${file} of the hand-over`, file, how });
/** What all workloads need: without it none is restored. */
const HANDOVER: readonly Damage[] = [
  handover('format', 'it is of format 1'),
  handover('manifest', FLIPPED),
  handover('manifest', CUT_OFF),
  handover('manifest', 'its last line is missing'),
  handover('manifest', GONE),
  handover('lock.nft', FLIPPED),
  handover('state/sysctl', FLIPPED),
  handover('state/*.tar', FLIPPED),
  { what: 'the container of the hand-over', file: '../vault', how: 'most of it is missing' },
];

/** Found when a task wants it, or when the rest is given: by then the workload runs. */
const ON_DEMAND: Damage = { what: 'a block of the memory that redis-server.service has on demand', pattern: 'redis-server.service', file: 'workloads/redis-server.service/trees/*/snapshots/1/pages-*.img', how: FLIPPED };

const JUMPS: readonly Damaged[] = [
  ...WORKLOADS.map((damages) => damagedWorkloads(damages)),
  { ...damagedWorkloads([ON_DEMAND]), before: FILL_REDIS },
  // Nothing of it is believed.
  ...HANDOVER.map((damage): Damaged => ({ damages: [damage], states: ['refused'], fate: () => 'afresh' })),
];

function damagedWorkloads(damages: readonly Damage[]): Damaged {
  return { damages, states: ['settled'], fate: (unit) => (damages.some(({ pattern = '' }) => matches(unit, pattern)) ? 'afresh' : 'restored') };
}

const RETURN_MS = 600_000;

/** Images that are not what they were when they were sealed. */
export async function* badImages(context: Context): AsyncGenerator<Trial> {
  for (const { before = ':', damages, states, fate } of JUMPS) {
    const what = damages.map((each) => `${each.what}: ${each.how}`).join(', and ');
    yield* tryInGuest(context, { fault: 'bad-images', what }, {}, async (server) => {
      await server.guest.exec(before);
      await replace(server.guest, '/usr/sbin/kexec', damaging(damages));
      using clients = await server.startClients({ patienceMs: server.patience(fate) });
      await upgradeAndReturn(server.guest, RETURN_MS);
      return await lookAfterBoot(server, clients, { kernel: 'new', states, fate });
    });
  }
}
