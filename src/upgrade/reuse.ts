import { createReadStream, existsSync, promises as fs, readFileSync, statSync } from 'node:fs';
import type { Plan } from '../plan/plan.ts';
import { readImprint, removeImprint } from '../snapshot/imprint-file.ts';
import { changedSince, lookAt } from '../snapshot/changed.ts';
import { ok, type Result } from '../failure/result.ts';
import { handoverPaths, type HandoverPaths } from '../model/handover.ts';
import { snapshotService } from '../plan/plan.ts';
import { run } from '../tools/command.ts';
import { stopCounting } from '../tools/tracefs.ts';
import { isUnfinished, makeReport, type UpgradeReport } from '../report/report.ts';
import { openJournal, readJournal, upgradeIds } from '../store/journal.ts';
import { storeAt } from '../store/store.ts';
import { surroundings } from '../snapshot/surroundings.ts';
import { begunFile } from './begun.ts';
import { watch } from './watch.ts';

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
  const imaged = plan.carried.flatMap(({ unit, controlGroup }) => {
    const workload = plan.paths.workload(unit);
    const imprint = readImprint(workload);
    return imprint === undefined ? [] : [{ workload, controlGroup, imprint }];
  });
  const now = await surroundings(new Set(imaged.flatMap(({ imprint }) => imprint.sockets)));
  if (!now.ok || now.value === undefined) return;
  const marks = new Map<string, string | undefined>();
  for (const { workload, controlGroup, imprint } of imaged) {
    if ((lookAt(imprint, controlGroup, marks) ?? changedSince(imprint, now.value)) !== undefined) removeImprint(workload);
  }
}

const isThere = ({ handover, vault }: HandoverPaths): boolean => existsSync(handover) || existsSync(vault.file);

/** The upgrades that were under way before their jump, or being undone, or not undone in part. Nobody is at them, for whoever holds the lock. */
export function abandoned(store: string, current?: string): UpgradeReport[] {
  const ids = upgradeIds(store);
  const others = ids.ok ? ids.value.filter((id) => id !== current) : [];
  // What could not be wiped then, as a disk did not answer, may be by now.
  return others.map((id) => makeReport(id, readJournal(store, id) ?? [])).filter((report) => isUnfinished(report) || (report.state === 'given-up-in-part' && isThere(handoverPaths(store, report.id))));
}

/** What the containers of an upgrade that is gone on with, and of abandoned ones, take of the disk, bytes: it need not be free. */
export const heldBytes = (store: string, current: string): number =>
  [current, ...abandoned(store, current).map(({ id }) => id)].reduce((sum, id) => sum + (statSync(handoverPaths(store, id).vault.file, { throwIfNoEntry: false })?.blocks ?? 0) * 512, 0);

/** Ends them: what they have begun is undone, unless it went down with the machine; their images, which hold every secret of its tasks, are of no use. */
export async function endAbandoned(store: string, kernel: string, current?: string): Promise<Result<undefined>> {
  let left: Result<undefined> = ok(undefined);
  for (const report of abandoned(store, current)) {
    const { id } = report;
    // Both the upgrade and its guard were killed.
    if (existsSync(begunFile(id))) await watch(createReadStream(begunFile(id)), () => undefined);
    await unprepare(id, current === undefined);
    const wiped = await storeAt(store, id).wipe();
    if (!wiped.ok) left = wiped;
    else if (isUnfinished(makeReport(id, readJournal(store, id) ?? []))) openJournal(store, id, kernel).append({ event: 'given-up', why: 'nobody went on with it' });
  }
  return left;
}

/** What a prepared upgrade has in the kernel, and beside it. */
async function unprepare(id: string, alone: boolean): Promise<void> {
  // There is one counting for all; whoever goes on with what was prepared needs it.
  if (alone) stopCounting();
  await run(['systemctl', 'stop', snapshotService(id)]);
  await run(['kexec', '--unload', '--kexec-syscall-auto']);
}
