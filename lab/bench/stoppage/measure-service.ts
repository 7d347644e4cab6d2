import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from '../../errors.js';
import type { Guest, Lab } from '../../lab.js';
import { clockAhead } from '../clock.js';
import { parseEvents } from '../journal.js';
import type { Span } from '../steps.js';
import type { Case } from './cases.js';
import { serviceIn, throughputLoss, type Service } from './load/answers.js';
import { copyPlainly, loopEverywhere } from './load/controls.js';
import { LoadProcess } from './load/process.js';
import { preparedState } from './prepared.js';
import { forbidSnapshots, REDIS, startResidents, unitsOf } from './residents.js';

const ROUNDS = 3;
const QUIET_S = 20;
const SNAPSHOTS_MS = 900_000;

/** How Redis answered, of all rounds together. */
export interface ServiceMeasurement {
  readonly quiet: Service;
  readonly besideSnapshots: Service;
  /** Beside a plain copy to the disk of as much memory, of the same low weight. */
  readonly besideCopy: Service;
  /** Beside loops of that weight, which only compute. */
  readonly besideLoops: Service;
  readonly throughputLoss: number;
  readonly p99Growth: number;
  readonly p99AgainstCopy: number;
}

/**
 * What a service loses while memory is imaged. All that it is compared with is measured in turn with it, some times over, as
 * no host is the same for minutes. What is imaged first, and not measured, is so for the host's sake: memory and disk that a
 * guest has never used are not there yet, and a host may be slower for all that is.
 */
export async function measureService(lab: Lab, { sleepers, redis }: Case): Promise<ServiceMeasurement> {
  const state = await preparedState(lab, sleepers);
  await using guest = await lab.up({ state });
  await startResidents(guest, sleepers);
  if (redis.forbidsSnapshots === true) await forbidSnapshots(guest, REDIS);
  using load = await LoadProcess.start(guest, redis);
  const units = [...unitsOf(sleepers), ...(redis.forbidsSnapshots === true ? [] : [REDIS])];
  await takeSnapshots(guest, units);
  const quiet: Span[] = [];
  const loops: Span[] = [];
  const copies: Span[] = [];
  const snapshots: Span[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const from = Date.now();
    await sleep(QUIET_S * 1000);
    quiet.push({ from, to: Date.now() });
    loops.push(await loopEverywhere(guest, QUIET_S));
    copies.push(await copyPlainly(guest, sleepers));
    snapshots.push(await takeSnapshots(guest, units));
  }
  const { turns } = await load.stop();
  const [was, is, besideCopy, besideLoops] = [quiet, snapshots, copies, loops].map((spans) => serviceIn(turns, spans));
  if (was === undefined || is === undefined || besideCopy === undefined || besideLoops === undefined) throw new LabError('the clients of Redis have not asked all the time');
  return { quiet: was, besideSnapshots: is, besideCopy, besideLoops, throughputLoss: throughputLoss(was, is), p99Growth: is.p99Ms / was.p99Ms, p99AgainstCopy: is.p99Ms / besideCopy.p99Ms };
}

/** Prepares an upgrade and drops it. Gives the time from the first snapshot to the last. Throws unless all of these have one. */
async function takeSnapshots(guest: Guest, units: readonly string[]): Promise<Span> {
  const ahead = await clockAhead(guest);
  // It would look for what is out of date only after all is over.
  await guest.exec(`segue prepare --every 86400 --to ${await guest.kernelRelease()}`, { timeoutMs: SNAPSHOTS_MS });
  const { stdout } = await guest.exec('segue status --wait >/dev/null && cat "$(ls -td /var/lib/segue/upgrades/*/ | head -n 1)journal.ndjson"', { timeoutMs: SNAPSHOTS_MS });
  await guest.exec('segue cancel', { timeoutMs: SNAPSHOTS_MS });
  const events = parseEvents(stdout);
  const begun = events.find(({ phase }) => phase === 'snapshot')?.at;
  const done = events.find(({ event }) => event === 'prepared')?.at;
  const without = units.filter((unit) => !events.some((event) => event.event === 'snapshot' && event.unit === unit));
  if (begun === undefined || done === undefined || without.length > 0) throw new LabError(`these were not imaged: ${without.join(', ')}`);
  return { from: begun - ahead, to: done - ahead };
}
