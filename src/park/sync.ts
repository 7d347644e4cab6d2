import { failed, ok, type Result } from '../failure/result.ts';
import type { Action } from '../model/step.ts';
import { run } from '../tools/command.ts';

type Sync = Extract<Action, { kind: 'sync' }>;

export const syncCommand = ({ path }: Sync): string[] => (path === undefined ? ['sync'] : ['sync', '--file-system', path]);

/** sync(1), which waits for ever for a disk or a server that does not answer, and cannot be killed meanwhile. */
export async function syncDisks(action: Sync): Promise<Result<undefined>> {
  const { exitCode, stderr } = await run(syncCommand(action), action);
  return exitCode === 0 ? ok(undefined) : failed({ reason: 'not-on-disk', what: action.path ?? 'all filesystems', error: stderr.trim() });
}
