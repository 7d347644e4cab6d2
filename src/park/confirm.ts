import { promises as fs } from 'node:fs';
import { failed, ok, type Result } from '../failure/result.ts';
import type { ConfirmableWorkload } from '../model/step.ts';
import { hasSameThreads } from '../snapshot/changed.ts';
import { deedsTo, threadsOf } from '../snapshot/imprint.ts';
import { cgroupProcesses, isStopped, statOf } from '../survey/task.ts';
import { readCounts, type Counts } from '../tools/tracefs.ts';
import { isFrozen } from './freezer.ts';
import { proofOf, type Proof } from './prove.ts';
import { signalSince } from './signals.ts';

/** The threads of which there is an image: CRIU writes a file for each, also for those that have ended and wait for their parent. */
export const imagedThreads = async (images: string): Promise<number[]> => (await fs.readdir(images)).flatMap((name) => /^core-(\d+)\.img$/.exec(name)?.[1] ?? []).map(Number);

/** It has ended, and waits for its parent. */
const isZombie = (id: number): boolean => statOf(id)?.state === 'Z';

/** Nobody of one whose image was proven current has run as long as its cgroup stands still; but who stands still can be killed, moved, or told something. */
async function changeSinceProof(controlGroup: string, { imprint, deeds }: Proof, now: Counts['deeds']): Promise<string | undefined> {
  if (!isFrozen(controlGroup)) return 'it was let go on';
  if (!hasSameThreads(imprint, controlGroup)) return 'a process of it has come or gone since it was looked at';
  if (deeds !== undefined && deedsTo(imprint.threads, now) === deeds) return undefined;
  return signalled((await cgroupProcesses(controlGroup)).pids);
}

function signalled(pids: readonly number[]): string | undefined {
  const come = signalSince(pids);
  return come && `a signal (${come.name}) has come for its process ${come.pid.toString()} since it was imaged`;
}

/** What is not as it was imaged. */
async function changeOf({ unit, controlGroup, images }: ConfirmableWorkload, deeds: Counts['deeds']): Promise<string | undefined> {
  const proof = proofOf(unit);
  if (proof !== undefined) return changeSinceProof(controlGroup, proof, deeds);
  const imaged = new Set((await Promise.all(images.map(imagedThreads))).flat());
  const there = new Set(threadsOf(controlGroup));
  const stranger = [...there].find((id) => !imaged.has(id));
  if (stranger !== undefined) return `its process ${stranger.toString()} has come since it was imaged, or since it was looked at`;
  const gone = [...imaged].find((id) => !there.has(id) && !isZombie(id));
  if (gone !== undefined) return `its process ${gone.toString()} has ended since it was imaged`;
  const { pids } = await cgroupProcesses(controlGroup);
  const runs = pids.find((pid) => !isStopped(pid));
  return runs === undefined ? signalled(pids) : `its process ${runs.toString()} was let go on`;
}

/**
 * The last look: everybody stands still as it was imaged. Whoever was stopped, restarted or killed meanwhile, by systemd or by
 * somebody, has run on past its image, and with its files as they are now that must not be restored; and whoever was sent a signal is to hear
 * of it.
 */
export async function confirm(workloads: readonly ConfirmableWorkload[]): Promise<Result<undefined>> {
  const deeds = readCounts()?.deeds;
  for (const workload of workloads) {
    let what: string | undefined;
    try {
      what = await changeOf(workload, deeds);
    } catch {
      what = 'it was stopped meanwhile'; // its cgroup is gone
    }
    if (what !== undefined) return failed({ reason: 'workload-changed', unit: workload.unit, what });
  }
  return ok(undefined);
}
