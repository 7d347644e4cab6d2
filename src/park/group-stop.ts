import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isStopped, statOf, threadsOf } from '../survey/task.ts';
import { beginFreezing, freeze, thaw } from './freezer.ts';

/** A task that has vforked runs on until its child, which would be stopped as well, has started another program (vfork(2)). */
const TRIES = 5;
const TRY_MILLISECONDS = 200;
const PAUSE_MILLISECONDS = 20;

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}

/** A process and all that it has started, parents first (`children` of proc_tid_children(5)). */
export function processTree(root: number): number[] {
  const children = threadsOf(root).flatMap((thread) => {
    try {
      return readFileSync(`/proc/${root.toString()}/task/${thread.toString()}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
    } catch {
      return [];
    }
  });
  return [root, ...children.flatMap(processTree)];
}

/** Also of one that has ended. */
const standsStill = (pid: number): boolean => threadsOf(pid).every((thread) => ['T', 'Z', 'X', undefined].includes(statOf(thread)?.state));

async function allStandStill(pids: readonly number[]): Promise<boolean> {
  const end = performance.now() + TRY_MILLISECONDS;
  while (!pids.every(standsStill)) {
    if (performance.now() > end) return false;
    await sleep(1);
  }
  return true;
}

/**
 * Stops a tree by a signal before CRIU takes hold of it. A task whose tracer is killed goes back to the group-stop that it was in
 * (ptrace(2)); it would run on otherwise, with its connections in repair mode, and lose them. Its cgroup is frozen while the signals
 * are sent: nobody forks, and no shell sees a job of its own stopped, as it stops itself before it runs. Gives the processes
 * that were not stopped before; none, and everybody goes on, where somebody does not stop: then it is for CRIU to say who.
 */
export async function stopTree(controlGroup: string, root: number): Promise<number[]> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const restless = await freeze([controlGroup]);
    const running = restless.length > 0 ? [] : processTree(root).filter((pid) => !isStopped(pid));
    for (const pid of running) signal(pid, 'SIGSTOP');
    await thaw([controlGroup]);
    if (restless.length > 0) return [];
    if (await allStandStill(running)) return running;
    await letGo(controlGroup, running);
    await sleep(PAUSE_MILLISECONDS);
  }
  return [];
}

/** Lets a cgroup go on, and those in it whom a signal has stopped. Nobody runs until all do: a shell would see its jobs stopped still. */
export async function letGo(controlGroup: string, stopped: readonly number[]): Promise<void> {
  if (stopped.length > 0) beginFreezing([controlGroup]);
  for (const pid of stopped) signal(pid, 'SIGCONT');
  await thaw([controlGroup]);
}
