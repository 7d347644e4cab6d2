import { readdirSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { pendingSignals, signalBit } from '../tools/pending-signals.ts';

const NUMBERS = Object.entries(constants.signals) as [NodeJS.Signals, number][];

/** What stops and lets go on, which Segue and CRIU do themselves; what the kernel sends when a child is stopped, or a timer goes off that is in the image. */
const OF_NO_MATTER = (['SIGSTOP', 'SIGCONT', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGCHLD', 'SIGALRM', 'SIGVTALRM', 'SIGPROF'] as const)
  .reduce((mask, name) => mask | signalBit(constants.signals[name]), 0n);

const read = (pid: number, name: string): string => readFileSync(`/proc/${pid.toString()}/${name}`, 'utf8');

/** The signals that wait for a process or one of its threads; none for one that has ended. */
function waitingFor(pid: number): bigint {
  try {
    return readdirSync(`/proc/${pid.toString()}/task`).reduce((mask, thread) => mask | pendingSignals(read(pid, `task/${thread}/status`)), 0n);
  } catch {
    return 0n;
  }
}

/** Those that timers of its own send (`signal: 10/…` of proc_pid_timers(5)). */
function ofTimers(pid: number): bigint {
  try {
    return [...read(pid, 'timers').matchAll(/^signal: (\d+)\//gm)].reduce((mask, [, number]) => mask | signalBit(Number(number)), 0n);
  } catch {
    return 0n;
  }
}

/** What waited for each process right before it was imaged: that is in its image. */
const imaged = new Map<number, bigint>();

export function noteSignals(pids: readonly number[]): void {
  for (const pid of pids) imaged.set(pid, waitingFor(pid));
}

/** A signal that has come for one of these, who stand still, and is in no image: nobody would hear of it. */
export function signalSince(pids: readonly number[]): { readonly pid: number; readonly name: string } | undefined {
  for (const pid of pids) {
    const waiting = waitingFor(pid) & ~(imaged.get(pid) ?? 0n) & ~OF_NO_MATTER;
    const come = waiting === 0n ? 0n : waiting & ~ofTimers(pid);
    if (come === 0n) continue;
    return { pid, name: NUMBERS.find(([, number]) => (come & signalBit(number)) !== 0n)?.[0] ?? 'of real time' };
  }
  return undefined;
}
