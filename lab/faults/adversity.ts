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

/** What an upgrade cannot cope with: it is refused, or given up, and all goes on. */
export interface Adversity {
  readonly what: string;
  /** For the guest's bash. */
  readonly before?: string;
  readonly after: string;
  /** When the upgrade says it, and what happens then. */
  readonly moment?: string;
  readonly deed?: string;
}

async function tryIn({ guest, units, bootId }: Server, clients: ClientsProcess, { before, after, moment, deed }: Adversity): Promise<Pick<Trial, 'lost' | 'became'>> {
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
      ...(exitCode === 0 || !(/error:/.test(stdout) || /was given up/.test(status)) ? ['the upgrade says nothing of it'] : []),
      ...(boot === bootId ? [] : ['the machine has booted']),
      ...lostUnits(units, traces.units),
      ...leftBehind(traces),
      ...missing(acknowledged, held),
      ...lostByClients(results),
    ],
  };
}

export async function* tryAdversity(context: Context, fault: string, adversity: Adversity): AsyncGenerator<Trial> {
  yield* tryInGuest(context, { fault, what: adversity.what }, {}, async (server) => {
    await server.refuseJump();
    using clients = await server.startClients();
    return await tryIn(server, clients, adversity);
  });
}
