import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process, told apart from a later one that was given the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks between the host's boot and its start. */
  readonly startTime: string;
}

export function identify(pid: number): ProcessIdentity | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name is in parentheses and may itself contain anything; the fields are counted after it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const startTime = fields[19];
    // The others of its threads may still hold its files and locks when the first has ended.
    const ended = fields[0] === 'Z' && readdirSync(`/proc/${pid}/task`).length === 1;
    if (startTime === undefined || ended) return undefined;
    return { pid, startTime };
  } catch {
    return undefined;
  }
}

export function isAlive(process: ProcessIdentity | undefined): boolean {
  return process !== undefined && identify(process.pid)?.startTime === process.startTime;
}

export function thisProcess(): ProcessIdentity {
  const identity = identify(process.pid);
  if (identity === undefined) throw new Error('this process is not in /proc');
  return identity;
}

/** Ends a process at once and waits until it is gone. A guest has nothing that a gentler end would save. */
export async function endProcess(target: ProcessIdentity | undefined): Promise<void> {
  killNow(target);
  while (isAlive(target)) await sleep(10);
}

/** The same without waiting, for exit handlers. */
export function killNow(target: ProcessIdentity | undefined): void {
  if (target === undefined || !isAlive(target)) return;
  try {
    process.kill(target.pid, 'SIGKILL');
  } catch {
    // It ended by itself between the two lines.
  }
}
