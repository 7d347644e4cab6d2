import { setTimeout as sleep } from 'node:timers/promises';
import type { Lab } from '../../lab.js';
import { clockAhead } from '../clock.js';
import { parseEvents } from '../journal.js';
import { requireAllRestored, upgrade } from '../upgrade.js';
import { CASES, describeCase, type Case, type CaseName } from './cases.js';
import { serviceIn, throughputLoss, type Service } from './load/answers.js';
import { rewrittenIn } from './load/pages.js';
import { LoadProcess } from './load/process.js';
import { preparedState } from './prepared.js';
import type { Figures } from './ratios.js';
import { copyPlainly } from './load/copy.js';
import { CRITICAL, forbidSnapshots, hasSizeOfCritical, startResidents, unitsOf } from './residents.js';
import { stoppageSpan, type Span } from '../steps.js';
import { freezeOf, makeStoppage, type Stoppage } from '../parts.js';
import { critical, timeline, type Critical, type Stop } from './timeline.js';

const REDIS = 'redis-server.service';
/** For so long the clients are measured before the upgrade is begun. */
const BEFORE_MS = 20_000;

/** All that was measured of one case in one run. */
export interface Measurement extends Figures, Stoppage {
  readonly name: CaseName;
  readonly what: string;
  readonly timeline: readonly Stop[];
  readonly critical?: Critical | undefined;
  /** How Redis answered just before the upgrade, and while memory was imaged beside it. */
  readonly before?: Service | undefined;
  readonly during?: Service | undefined;
  /** How it answered beside a plain copy to the disk of as much memory, of the same low weight. */
  readonly besideCopy?: Service | undefined;
  /** The part of Redis's pages that was rewritten each second, before, and while memory was imaged. */
  readonly rewritten?: { readonly before: number; readonly during?: number };
}

/** One upgrade of a fresh guest. Throws when a workload was lost, or a client's connection. */
export async function measure(lab: Lab, name: CaseName, run: number): Promise<Measurement> {
  const each: Case = CASES[name];
  const state = await preparedState(lab, each.sleepers);
  await using guest = await lab.up({ state });
  await startResidents(guest, each.sleepers);
  if (each.redis.forbidsSnapshots === true) await forbidSnapshots(guest, REDIS);
  using load = await LoadProcess.start(guest, each.redis);
  const ahead = await clockAhead(guest);
  const from = Date.now();
  await sleep(BEFORE_MS);
  const before: Span = { from, to: Date.now() };
  const copy = each.redis.forbidsSnapshots === true ? await copyPlainly(guest, each.sleepers) : undefined;
  const status = await upgrade(guest, each.prepare ? [] : ['--no-prepare']);
  requireAllRestored(status, [...unitsOf(each.sleepers), CRITICAL, REDIS]);
  const { stdout: journal } = await guest.exec(['cat', `/var/lib/segue/upgrades/${status.id}/journal.ndjson`]);
  const { turns, rewritten, pages } = await load.stop();

  const events = parseEvents(journal);
  const stoppage = makeStoppage(events);
  const stops = timeline(status.workloads, events);
  const begun = events.find(({ phase }) => phase === 'snapshot')?.at;
  const snapshots: Span | undefined = begun === undefined ? undefined : { from: begun - ahead, to: stoppageSpan(events).from - ahead };
  const was = serviceIn(turns, before);
  const is = snapshots && serviceIn(turns, snapshots);
  const besideCopy = copy && serviceIn(turns, copy);
  return {
    run,
    name,
    what: describeCase(each),
    ...stoppage,
    redisFreezeMs: freezeOf(REDIS, stoppage),
    timeline: stops,
    critical: critical(CRITICAL, stops, hasSizeOfCritical),
    ...(was && is ? { before: was, during: is, throughputLoss: throughputLoss(was, is), p99Growth: is.p99Ms / was.p99Ms } : {}),
    ...(is && besideCopy ? { besideCopy, p99AgainstCopy: is.p99Ms / besideCopy.p99Ms } : {}),
    ...(each.redis.rewritten > 0 ? { rewritten: { before: rewrittenIn(rewritten, pages, before), ...(snapshots && { during: rewrittenIn(rewritten, pages, snapshots) }) } } : {}),
  };
}
