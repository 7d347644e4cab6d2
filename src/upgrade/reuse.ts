import { existsSync, promises as fs, readFileSync } from 'node:fs';
import type { Plan } from '../plan/plan.ts';
import { readImprint, removeImprint } from '../snapshot/imprint-file.ts';
import { changedSince } from '../snapshot/imprint.ts';
import { isUnfinished, makeReport } from '../report/report.ts';
import { openJournal, readJournal, upgradeIds } from '../store/journal.ts';
import { storeAt } from '../store/store.ts';
import { surroundings } from '../snapshot/surroundings.ts';

/**
 * Of what was prepared, drops the workloads that are not those of the plan any more: a service that was restarted has
 * other processes, and so other files in the hand-over.
 */
export async function dropOthers(plan: Plan): Promise<void> {
  const folder = `${plan.paths.handover}/workloads`;
  for (const unit of await fs.readdir(folder).catch(() => [])) {
    const own = `${folder}/${unit}/`;
    const files = plan.steps.flatMap(({ action }) => (action.kind === 'write' && action.path.startsWith(own) ? [action] : []));
    const same = files.length > 0 && files.every(({ path, content }) => existsSync(path) && readFileSync(path, 'utf8') === content);
    if (!same) await fs.rm(own, { recursive: true, force: true });
  }
}

/** Forgets the whole images of workloads to which something has happened since; whether nothing has is proven when they stand still. */
export async function forgetOutdated(plan: Plan): Promise<void> {
  const now = await surroundings();
  if (!now.ok || now.value === undefined) return;
  const marks = new Map<string, string | undefined>();
  for (const { unit, controlGroup } of plan.carried) {
    const workload = plan.paths.workload(unit);
    const imprint = readImprint(workload);
    if (imprint === undefined) continue;
    let outdated: boolean;
    try {
      outdated = changedSince(imprint, controlGroup, now.value, marks) !== undefined;
    } catch {
      outdated = true; // it has ended
    }
    if (outdated) removeImprint(workload);
  }
}

/**
 * Ends the upgrades that were under way before their jump, or being undone, when the machine went down: their tasks are gone, and their
 * images, which hold every secret of those, are of no use. Called by whoever holds the lock, so nobody is at them.
 */
export async function endAbandoned(store: string, kernel: string, current: string): Promise<void> {
  const ids = upgradeIds(store);
  for (const id of ids.ok ? ids.value.filter((each) => each !== current) : []) {
    const report = makeReport(id, readJournal(store, id) ?? []);
    // One that could not be wiped then, as a disk did not answer, may be by now.
    if (!isUnfinished(report) && report.state !== 'given-up-in-part') continue;
    const wiped = await storeAt(store, id).wipe();
    if (wiped.ok && isUnfinished(report)) openJournal(store, id, kernel).append({ event: 'given-up', why: 'the machine went down' });
  }
}
