import pMap from 'p-map';
import type { Task } from '../model/task.ts';
import { servedMounts } from '../state/mounts.ts';
import { run } from '../tools/command.ts';

const ANSWER_SECONDS = 5;

/**
 * The filesystems (`major:minor`) on which one of these tasks has a file, and whose server does not answer. A process of
 * its own asks (statfs(2)): whoever does waits until the server is back, or he is killed.
 */
export async function silentServers(tasks: Iterable<Task>, limitSeconds = ANSWER_SECONDS): Promise<Set<string>> {
  const paths = new Map([...tasks].flatMap((task) => servedMounts(task).map(({ device, path }) => [device, `/proc/${task.pid.toString()}/root${path}`] as const)));
  const asked = await pMap(paths, async ([device, path]) => ({ device, ...(await run(['stat', '--file-system', '--', path], { limitSeconds })) }));
  // Whoever says that there is no such file has answered.
  return new Set(asked.filter(({ exitCode }) => exitCode === 126).map(({ device }) => device));
}
