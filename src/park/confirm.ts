import { promises as fs } from 'node:fs';
import { failed, ok, type Result } from '../failure/result.ts';
import type { ConfirmableWorkload } from '../model/step.ts';
import { threadsOf } from '../snapshot/imprint.ts';
import { cgroupProcesses, isStopped, statOf } from '../survey/task.ts';
import { isFrozen } from './freezer.ts';
import { provenImprint } from './prove.ts';

/** The threads of which there is an image: CRIU writes a file for each, also for those that have ended and wait for their parent. */
export const imagedThreads = async (images: string): Promise<number[]> => (await fs.readdir(images)).flatMap((name) => /^core-(\d+)\.img$/.exec(name)?.[1] ?? []).map(Number);

/** It has ended, and waits for its parent. */
const isZombie = (id: number): boolean => statOf(id)?.state === 'Z';

/** What is not as it was imaged. */
async function changeOf({ unit, controlGroup, images }: ConfirmableWorkload): Promise<string | undefined> {
  // Whose image was proven current: nobody of it has run as long as the cgroup stands still.
  if (provenImprint(unit) !== undefined) return isFrozen(controlGroup) ? undefined : 'it was let go on';
  const imaged = new Set((await Promise.all(images.map(imagedThreads))).flat());
  const there = new Set(threadsOf(controlGroup));
  const stranger = [...there].find((id) => !imaged.has(id));
  if (stranger !== undefined) return `its process ${stranger.toString()} has come since it was imaged, or since it was looked at`;
  const gone = [...imaged].find((id) => !there.has(id) && !isZombie(id));
  if (gone !== undefined) return `its process ${gone.toString()} has ended since it was imaged`;
  const runs = (await cgroupProcesses(controlGroup)).pids.find((pid) => !isStopped(pid));
  return runs === undefined ? undefined : `its process ${runs.toString()} was let go on`;
}

/**
 * The last look: everybody stands still as it was imaged. Whoever was stopped, restarted or killed meanwhile, by systemd or by
 * somebody, has run on past its image, and with its files as they are now that must not be restored.
 */
export async function confirm(workloads: readonly ConfirmableWorkload[]): Promise<Result<undefined>> {
  for (const workload of workloads) {
    let what: string | undefined;
    try {
      what = await changeOf(workload);
    } catch {
      what = 'it was stopped meanwhile'; // its cgroup is gone
    }
    if (what !== undefined) return failed({ reason: 'workload-changed', unit: workload.unit, what });
  }
  return ok(undefined);
}
