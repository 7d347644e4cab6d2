import { existsSync, lstatSync, promises as fs } from 'node:fs';
import { failed, ok, type Result } from '../failure/result.ts';
import type { Action, Note } from '../model/step.ts';
import { setLimit } from './pace.ts';
import { requireRoom } from '../store/room.ts';
import { startTimeOf } from '../survey/task.ts';
import { processTree, stopTree } from './group-stop.ts';
import { makeRestartable } from './restartable.ts';
import { noteSignals } from './signals.ts';
import { dumpStatistics, mendImage } from '../tools/criu-images.ts';
import { limitSeconds, logErrors } from '../tools/criu.ts';
import { run } from '../tools/command.ts';

type Dump = Extract<Action, { kind: 'dump' }>;

/** As a rule it is less. Where it is more, and the disk full, CRIU fails and all goes on. */
const CHANGED_SINCE = 0.25;

/** Images a tree; its tasks are stopped before and afterwards, also when it fails. */
export async function dump(action: Dump): Promise<Result<Note>> {
  if (startTimeOf(action.pid) !== action.startTime) {
    return failed({ reason: 'workload-changed', unit: action.unit, what: `its process ${action.pid.toString()} has ended or is another one now` });
  }
  // Its snapshot was to take their place (src/snapshot/imprint-file.ts), and stays as it is.
  if (lstatSync(action.images, { throwIfNoEntry: false })?.isSymbolicLink() === true) await fs.rm(action.images);
  // What a snapshot has need not be written again, but for what was written to since.
  const room = await requireRoom(action.handover, existsSync(`${action.images}/../snapshots/last`) ? action.memory * CHANGED_SINCE : action.memory);
  if (!room.ok) return room;
  await fs.mkdir(action.images, { recursive: true, mode: 0o700 });
  // To stop takes a task some time, and CRIU has it do some of its work: who was slowed down is so no more.
  if (action.limit !== undefined) setLimit(action.controlGroup, action.limit);
  const stopped = await stopTree(action.controlGroup, action.pid);
  await makeRestartable(action.controlGroup);
  noteSignals(processTree(action.pid));
  const { exitCode, stderr } = await run(action.argv, { limitSeconds: limitSeconds(action.memory) });
  const log = `${action.images}/dump.log`;
  if (exitCode !== 0) {
    const errors = await logErrors(log);
    const printed = (await fs.readFile(`${action.images}/dump.out`, 'utf8').catch(() => '')).trim();
    return failed({ reason: 'dump-failed', unit: action.unit, errors: errors.length > 0 ? errors : [printed || stderr.trim() || `criu ended with exit code ${exitCode.toString()}`], log });
  }
  const { mendedWindows: mended } = await mendImage(action.images, action, stopped);
  const statistics = await dumpStatistics(action.images).catch(() => undefined);
  return ok({ event: 'imaged', unit: action.unit, ...(statistics === undefined ? {} : { bytes: statistics.writtenBytes, earlierBytes: statistics.earlierBytes, heldMs: statistics.heldMs }), ...(mended === 0 ? {} : { mended }) });
}
