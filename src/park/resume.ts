import { readlinkSync } from 'node:fs';
import { ok, type Result } from '../failure/result.ts';
import type { Action } from '../model/step.ts';
import { cgroupProcesses } from '../survey/task.ts';
import { runOk } from '../tools/command.ts';
import { deleteLockTables } from '../tools/nft.ts';
import { END_REPAIR } from './end-repair.ts';
import { letGo } from './group-stop.ts';
import { removeLinkRemaps } from './link-remaps.ts';

type Resume = Extract<Action, { kind: 'resume' }>;

/** CRIU locked connections inside of a network that is not the machine's own in there. */
async function unlockOtherNetworks(pids: readonly number[]): Promise<Result<undefined>> {
  const seen = new Set([network('self')]);
  for (const pid of pids) {
    const its = network(pid.toString());
    if (its === undefined || seen.has(its)) continue;
    seen.add(its);
    const unlocked = await deleteLockTables(pid);
    if (!unlocked.ok) return unlocked;
  }
  return ok(undefined);
}

function network(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return undefined; // it has ended
  }
}

/** Lets the tasks of these workloads go on, with their connections as they were, and removes what CRIU left for a restore. */
export async function resume(workloads: readonly Resume[]): Promise<Result<undefined>> {
  const groups = [...new Set(workloads.map(({ controlGroup }) => controlGroup))];
  const found = await Promise.all(groups.map(async (controlGroup) => {
    // A snapshot has stopped none of them by a signal, an image all but those that were stopped before.
    const kept = workloads.filter((workload) => workload.controlGroup === controlGroup).map(({ keepStopped }) => new Set(keepStopped));
    const { pids } = await cgroupProcesses(controlGroup);
    return { controlGroup, pids, stopped: pids.filter((pid) => !kept.every((each) => each.has(pid))) };
  }));
  const pids = found.flatMap((each) => each.pids);
  removeLinkRemaps(pids);
  const repaired = pids.length === 0 ? ok('') : await runOk(['perl', '-e', END_REPAIR, ...pids.map(String)]);
  const unlocked = await unlockOtherNetworks(pids);
  // Also a task that does not look stopped: it may be about to be, by a signal that CRIU has just sent.
  for (const { controlGroup, stopped } of found) await letGo(controlGroup, stopped);
  return repaired.ok ? unlocked : repaired;
}
