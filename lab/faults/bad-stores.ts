import type { ClientsProcess } from '../demo/clients-process.js';
import { attempt } from '../inside/attempt.js';
import { readTraces } from '../inside/traces.js';
import { acknowledgedIn, missing, readHeld } from './acknowledged.js';
import type { Context } from './context.js';
import { tryInGuest } from './in-guest.js';
import { leftBehind, lostByClients, lostUnits } from './losses.js';
import type { Trial } from './outcome.js';
import { PATTERNS } from './prepared.js';
import type { Server } from './server.js';

/** A store that does not take the images: the upgrade is refused, or given up, and all goes on. */
interface BadStore {
  readonly what: string;
  /** For the guest's bash. */
  readonly before?: string;
  readonly after: string;
  /** When the upgrade says it, and what happens then. */
  readonly moment?: string;
  readonly deed?: string;
}

/** All but so much of the disk is taken. */
const leaving = (mib: number): string => `fallocate -l "$(($(df --output=avail -B1 / | tail -n 1) - ${mib} * 1024 * 1024))" /var/filler`;
const STORE = '/var/lib/segue';

const STORES: readonly BadStore[] = [
  { what: 'the store is smaller than is needed', before: leaving(32), after: 'rm /var/filler' },
  { what: 'the store is read-only', before: `mkdir -p ${STORE} && mount --bind ${STORE} ${STORE} && mount -o remount,bind,ro ${STORE}`, after: `umount ${STORE}` },
  // The services are to have room for what they acknowledge meanwhile, as root and others have the same.
  { what: 'the disk is full as workloads are imaged', before: 'tune2fs -m 0 /dev/vda', after: 'rm /var/filler', moment: 'lock the sockets', deed: `[ -e /var/filler ] || ${leaving(2)}` },
  { what: 'the disk is full as snapshots are taken', before: 'tune2fs -m 0 /dev/vda', after: 'rm /var/filler', moment: 'count the system calls', deed: leaving(4) },
];

async function tryStore({ guest, units, bootId }: Server, clients: ClientsProcess, { before, after, moment, deed }: BadStore): Promise<Pick<Trial, 'lost' | 'became'>> {
  if (before !== undefined) await guest.exec(before);
  const { exitCode, stdout } = await attempt(guest, moment ?? 'no such line', deed ?? ':');
  const { stdout: status } = await guest.exec('segue status', { reject: false });
  await guest.exec(after, { reject: false });
  const results = await clients.stop();
  const acknowledged = acknowledgedIn(results);
  const [traces, held, boot] = await Promise.all([readTraces(guest, PATTERNS), readHeld(guest, acknowledged), guest.bootId()]);
  return {
    became: `exit code ${exitCode}: ${stdout.split('\n').find((line) => /error:|giving up:/.test(line))?.trim() ?? 'no word of why'}; ${status.split('\n')[0] ?? ''}`,
    lost: [
      ...(exitCode === 0 || !/error:/.test(stdout) ? ['the upgrade says nothing of it'] : []),
      ...(boot === bootId ? [] : ['the machine has booted']),
      ...lostUnits(units, traces.units),
      ...leftBehind(traces),
      ...missing(acknowledged, held),
      ...lostByClients(results),
    ],
  };
}

/** A store that takes no images. */
export async function* badStores(context: Context): AsyncGenerator<Trial> {
  for (const store of STORES) {
    yield* tryInGuest(context, { fault: 'bad-stores', what: store.what }, {}, async (server) => {
      await server.refuseJump();
      using clients = await server.startClients();
      return await tryStore(server, clients, store);
    });
  }
}
