import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../../lab.js';
import { clockAhead } from '../clock.js';
import { parseEvents } from '../journal.js';
import { requireAllRestored, upgrade } from '../upgrade.js';
import type { Case } from './cases.js';
import { rewrittenIn } from './load/pages.js';
import { LoadProcess } from './load/process.js';
import { preparedState } from './prepared.js';
import { CRITICAL, hasSizeOfCritical, REDIS, startResidents, unitsOf } from './residents.js';
import { stoppageSpan, type Span } from '../steps.js';
import { freezeOf, makeStoppage, type Stoppage } from '../parts.js';
import { critical, timeline, type Critical, type Stop } from './timeline.js';

/** For so long the clients are measured before the upgrade is begun. */
const BEFORE_MS = 20_000;

/** All that was measured of one upgrade. */
export interface UpgradeMeasurement extends Stoppage {
  readonly redisFreezeMs?: number | undefined;
  readonly timeline: readonly Stop[];
  readonly critical?: Critical | undefined;
  /** The part of Redis's pages that was rewritten each second, before, and while memory was imaged. */
  readonly rewritten?: { readonly before: number; readonly during?: number };
}

/** One upgrade of a fresh guest. Throws when a workload was lost, or a client's connection. */
export async function measureUpgrade(lab: Lab, each: Case): Promise<UpgradeMeasurement> {
  const state = await preparedState(lab, each.sleepers);
  await using guest = await lab.up({ state });
  await startResidents(guest, each.sleepers);
  using load = await LoadProcess.start(guest, each.redis);
  const ahead = await clockAhead(guest);
  const from = Date.now();
  await sleep(BEFORE_MS);
  const before: Span = { from, to: Date.now() };
  const status = await upgrade(guest, each.command === 'segue upgrade --no-prepare' ? ['--no-prepare'] : []);
  requireAllRestored(status, [...unitsOf(each.sleepers), CRITICAL, REDIS]);
  const { stdout: journal } = await guest.exec(['cat', `/var/lib/segue/upgrades/${status.id}/journal.ndjson`]);
  const { rewritten, pages } = await load.stop();

  const events = parseEvents(journal);
  const stoppage = makeStoppage(events);
  const stops = timeline(status.workloads, events);
  const begun = events.find(({ phase }) => phase === 'snapshot')?.at;
  const snapshots: Span | undefined = begun === undefined ? undefined : { from: begun - ahead, to: stoppageSpan(events).from - ahead };
  return {
    ...stoppage,
    redisFreezeMs: freezeOf(REDIS, stoppage),
    timeline: stops,
    critical: critical(CRITICAL, stops, hasSizeOfCritical),
    ...(each.redis.rewritten > 0 ? { rewritten: { before: rewrittenIn(rewritten, pages, before), ...(snapshots && { during: rewrittenIn(rewritten, pages, snapshots) }) } } : {}),
  };
}
