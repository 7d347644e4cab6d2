import type { ClientsProcess } from '../demo/clients-process.js';
import type { UnitState } from '../demo/services.js';
import type { Status } from '../demo/upgrade.js';
import { readTraces } from '../inside/traces.js';
import { acknowledgedIn, missing, readHeld } from './acknowledged.js';
import { readStatus } from './jump.js';
import { leftBehind, lostByClients } from './losses.js';
import type { Fate, Trial } from './outcome.js';
import { PATTERNS } from './prepared.js';
import type { Server } from './server.js';

export interface Expected {
  /** The kernel that is to run. */
  readonly kernel: 'old' | 'new';
  /** States of the upgrade that are well. */
  readonly states: readonly string[];
  readonly fate: (unit: string) => Fate;
}

const SETTLE_MS = 400_000;

/** Services that do not run, or did not come back as they are to. */
export function lostFates(before: readonly UnitState[], after: readonly UnitState[], { workloads }: Pick<Status, 'workloads'>, expected: Pick<Expected, 'fate'>): string[] {
  return before.flatMap(({ unit, pid }) => {
    const is = after.find((each) => each.unit === unit);
    if (is?.active !== true) return [`${unit} does not run`];
    const told = workloads.find((each) => each.unit === unit);
    const fate = expected.fate(unit);
    if (fate === 'either') return [];
    const why = told?.why === undefined ? '' : `, ${told.why}`;
    if (told?.fate !== fate) return [`${unit} was to be ${fate}, and is ${told?.fate ?? 'not in the report'}${why}`];
    if (fate === 'restored' && is.pid !== pid) return [`${unit}: said to be restored, but its process ${pid} is gone, ${is.pid} has taken its place`];
    return [];
  });
}

/** What became of the upgrade, in a line. */
export const becameOf = ({ state, workloads }: Pick<Status, 'state' | 'workloads'>): string =>
  `${state}: ${workloads.map(({ unit, fate, why }) => `${unit} ${fate}${why === undefined ? '' : ` (${why})`}`).join(', ')}`;

/** Looks at a machine that has booted, whichever kernel it has come up on. */
export async function lookAfterBoot(server: Server, clients: ClientsProcess, expected: Expected): Promise<Pick<Trial, 'lost' | 'became'>> {
  const { guest, units } = server;
  const status = await readStatus(guest);
  const { stdout: running } = await guest.exec('systemctl is-system-running --wait', { reject: false, timeoutMs: SETTLE_MS });
  const results = await clients.stop();
  const acknowledged = acknowledgedIn(results);
  const [traces, held, kernel] = await Promise.all([readTraces(guest, PATTERNS), readHeld(guest, acknowledged), guest.kernelRelease()]);
  const { handovers, ...others } = traces;
  const allRestored = status.workloads.every(({ fate }) => fate === 'restored');
  const carried = server.restoredClients(expected.fate);
  const wanted = expected.kernel === 'old' ? server.kernel : status.to;
  return {
    became: becameOf(status),
    lost: [
      ...(kernel === wanted ? [] : [`Linux ${kernel} runs instead of ${wanted}`]),
      ...(expected.states.includes(status.state) ? [] : [`the upgrade is ${status.state}`]),
      ...(running === 'running' || running === 'degraded' ? [] : [`systemd says that it is ${running || 'not there'}`]),
      ...lostFates(units, traces.units, status, expected),
      // Images of a workload that could not be restored are kept by design.
      ...leftBehind({ ...others, handovers: allRestored ? handovers : [] }),
      ...missing(acknowledged, held),
      ...lostByClients(results.filter(({ name }) => carried.has(name))),
    ],
  };
}
