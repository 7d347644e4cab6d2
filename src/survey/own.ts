import type { Task } from '../model/task.ts';

/** This process, those that have started it, and those that it has started: none of them can be in an image that it makes. */
export function ownProcesses(tasks: ReadonlyMap<number, Task>, pid = process.pid): ReadonlySet<number> {
  const own = new Set([pid]);
  // The first process has started all.
  for (let task = tasks.get(pid); task !== undefined && task.parent > 1; task = tasks.get(task.parent)) own.add(task.parent);
  for (const task of tasks.values()) if (startedBy(task, pid, tasks)) own.add(task.pid);
  return own;
}

const startedBy = ({ parent }: Task, pid: number, tasks: ReadonlyMap<number, Task>): boolean => {
  if (parent === pid) return true;
  const next = tasks.get(parent);
  return next !== undefined && startedBy(next, pid, tasks);
};
