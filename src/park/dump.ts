import { promises as fs, readFileSync } from 'node:fs';
import { failed, ok, type Result } from '../failure/result.ts';
import type { Action } from '../model/step.ts';
import { parseStat } from '../survey/task.ts';
import { leaveUserNamespace } from '../tools/criu-images.ts';
import { logErrors } from '../tools/criu.ts';
import { run } from '../tools/command.ts';

type Dump = Extract<Action, { kind: 'dump' }>;

function stat(pid: number): ReturnType<typeof parseStat> | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid.toString()}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Images a tree; its tasks are stopped afterwards. On failure CRIU itself lets them go on. */
export async function dump(action: Dump): Promise<Result<undefined>> {
  if (stat(action.pid)?.startTime !== action.startTime) {
    return failed({ reason: 'workload-changed', unit: action.unit, what: `its process ${action.pid.toString()} has ended or is another one now` });
  }
  // Killed in the midst of its work, CRIU may leave a task without its registers: when memory runs out, it is the last.
  const { exitCode, stderr } = await run(['choom', '-n', '-1000', '--', ...action.argv]);
  const log = `${action.images}/dump.log`;
  if (exitCode !== 0) {
    const errors = await logErrors(log);
    const printed = (await fs.readFile(`${action.images}/dump.out`, 'utf8').catch(() => '')).trim();
    return failed({ reason: 'dump-failed', unit: action.unit, errors: errors.length > 0 ? errors : [printed || stderr.trim() || `criu ended with exit code ${exitCode.toString()}`], log });
  }
  if (action.privateUsers) await leaveUserNamespace(action.images);
  return ok(undefined);
}
