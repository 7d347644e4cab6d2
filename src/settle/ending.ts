import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../tools/command.ts';
import { show, type Properties } from '../tools/systemctl.ts';

/** How long a service that is started afresh may take until the report calls it failed, milliseconds. */
const AFRESH_MILLISECONDS = 120_000;

/** What a unit has come to. */
export interface Ending {
  /** It runs; a job (Type=oneshot of systemd.service(5)) does so while it is activating. */
  readonly runs: boolean;
  /** It has run, and ended as it should: a job that is done, or what somebody has stopped. */
  readonly done: boolean;
  readonly mainPid: number;
}

export function endingOf(properties: Properties, job: boolean): Ending {
  const state = properties['ActiveState'] ?? '';
  return {
    runs: ['active', 'reloading', 'refreshing'].includes(state) || (job && state === 'activating'),
    // Until it has run once there is no such time.
    done: state === 'inactive' && properties['Result'] === 'success' && !['', '0'].includes(properties['ExecMainStartTimestampMonotonic'] ?? ''),
    mainPid: Number(properties['MainPID'] ?? 0),
  };
}

/** What systemd says of these units, by their names; of hundreds it is asked once. */
export async function propertiesOf(units: readonly string[]): Promise<ReadonlyMap<string, Properties>> {
  const shown = await show(units, ['Type', 'Restart', 'ActiveState', 'Result', 'MainPID', 'Job', 'ExecMainStartTimestampMonotonic']);
  return new Map((shown.ok ? shown.value : []).map((properties) => [properties['Id'] ?? '', properties]));
}

/** Once it is neither on its way in nor out, or that takes too long. */
async function ending(unit: string, said?: Properties): Promise<Ending & { readonly job: boolean; readonly restart: string }> {
  const end = performance.now() + AFRESH_MILLISECONDS;
  for (let first = said; ; first = undefined) {
    const properties = first ?? (await propertiesOf([unit])).get(unit) ?? {};
    const job = properties['Type'] === 'oneshot';
    const found = endingOf(properties, job);
    const onItsWay = (['activating', 'deactivating'].includes(properties['ActiveState'] ?? '') || Number(properties['Job'] ?? 0) > 0) && !found.runs;
    if (!onItsWay || performance.now() > end) return { ...found, job, restart: properties['Restart'] ?? 'no' };
    await sleep(200);
  }
}

/**
 * What has become of a workload, which is started once more where systemd would have: it has come back and ended since, when Restart=
 * did not count yet; or its fresh start has failed. A job is not done twice. `said` is what systemd said of it just now.
 */
export async function settledEnding(unit: string, restored: boolean, said?: Properties): Promise<Ending> {
  const found = await ending(unit, said);
  if (found.runs || (found.done && (restored ? !['always', 'on-success'].includes(found.restart) : found.job))) return found;
  if (restored && found.job) return found;
  await run(['systemctl', 'start', ...(found.job ? ['--no-block'] : []), '--', unit]);
  return await ending(unit);
}
