import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { failed, ok, type Result } from '../failure/result.ts';
import { parseStat } from '../survey/task.ts';

const FILE = '/run/segue/upgrade.lock';

/** Names a process for as long as this boot lasts: its id, and when it began. */
function identity(pid: number): string | undefined {
  try {
    return `${pid.toString()} ${parseStat(readFileSync(`/proc/${pid.toString()}/stat`, 'utf8')).startTime.toString()}`;
  } catch {
    return undefined;
  }
}

/** One upgrade at a time. The lock of a process that was killed does not count; /run forgets it at the jump. */
export function lockUpgrade(): Result<{ release(): void }> {
  mkdirSync('/run/segue', { recursive: true, mode: 0o755 });
  for (;;) {
    try {
      writeFileSync(FILE, identity(process.pid) ?? '', { flag: 'wx', mode: 0o644 });
      return ok({ release: () => { rmSync(FILE, { force: true }); } });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return failed({ reason: 'step-failed', step: `make ${FILE}`, error: (error as Error).message });
      const holder = runningUpgrade();
      if (holder !== undefined) return failed({ reason: 'upgrade-running', pid: holder });
      rmSync(FILE, { force: true });
    }
  }
}

/** The process that runs an upgrade now. */
export function runningUpgrade(): number | undefined {
  let text: string;
  try {
    text = readFileSync(FILE, 'utf8');
  } catch {
    return undefined;
  }
  const pid = Number(text.split(' ')[0]);
  return pid > 0 && identity(pid) === text ? pid : undefined;
}
