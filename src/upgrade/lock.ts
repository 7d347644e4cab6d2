import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { failed, ok, type Result } from '../failure/result.ts';
import { startTimeOf } from '../survey/task.ts';

const FILE = '/run/segue/upgrade.lock';

/** Names a process for as long as this boot lasts: its id, and when it began. */
function identity(pid: number): string | undefined {
  const began = startTimeOf(pid);
  return began === undefined ? undefined : `${pid.toString()} ${began.toString()}`;
}

const ownLine = (): string => `${identity(process.pid) ?? ''}\n`;
const remove = (): void => { rmSync(FILE, { force: true }); };

/**
 * One upgrade at a time. The file names the processes that hold the lock, one a line: the upgrade, and its guard, which
 * may still be undoing what a killed upgrade had begun. Processes that have ended do not count; /run forgets the file at
 * the jump.
 */
export function lockUpgrade(): Result<{ release(): void }> {
  mkdirSync('/run/segue', { recursive: true, mode: 0o755 });
  for (;;) {
    try {
      writeFileSync(FILE, ownLine(), { flag: 'wx', mode: 0o644 });
      return ok({ release: remove });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return failed({ reason: 'step-failed', step: `make ${FILE}`, error: (error as Error).message });
      const holder = runningUpgrade();
      if (holder !== undefined) return failed({ reason: 'upgrade-running', pid: holder });
      remove();
    }
  }
}

/** For the guard, while the upgrade holds the lock: its end is waited for, too. */
export function shareLock(): void {
  appendFileSync(FILE, ownLine());
}

/** For each line of the lock the process that it names, undefined for one that has ended. */
function holders(): (number | undefined)[] {
  let text: string;
  try {
    text = readFileSync(FILE, 'utf8');
  } catch {
    return [];
  }
  return text.split('\n').map((line) => {
    const pid = Number(line.split(' ')[0]);
    return pid > 0 && identity(pid) === line ? pid : undefined;
  });
}

/** The process that runs an upgrade, or undoes one, now. */
export const runningUpgrade = (): number | undefined => holders().find((pid) => pid !== undefined);

/** The process that runs an upgrade now; not whoever undoes one that is gone. */
export const upgradingProcess = (): number | undefined => holders()[0];
