import { setTimeout as sleep } from 'node:timers/promises';
import { failed, ok, type Result } from '../failure/result.ts';
import { display, run } from './command.ts';

/** What is unmounted may be in use for a moment: by udev, which looks at every new device, or a command that was killed. */
const BUSY_MILLISECONDS = 10_000;

export const isMounted = async (path: string): Promise<boolean> => (await run(['mountpoint', '--quiet', path])).exitCode === 0;

export const unmount = (path: string): Promise<Result<undefined>> => insist(['umount', path], async () => !(await isMounted(path)));

/** Until a command has done its work, or it is in vain. */
export async function insist(argv: readonly string[], done: () => Promise<boolean>): Promise<Result<undefined>> {
  const end = performance.now() + BUSY_MILLISECONDS;
  for (;;) {
    if (await done()) return ok(undefined);
    const { stderr, exitCode } = await run(argv);
    if (performance.now() > end) return failed({ reason: 'command-failed', command: display(argv), exitCode, output: stderr.trim() });
    if (exitCode !== 0) await sleep(100);
  }
}
