import { readdirSync, readFileSync } from 'node:fs';
import type { Workload } from '../model/workload.ts';

/**
 * The time that the tasks of a workload have spent on a processor, nanoseconds: the first number of
 * /proc/PID/task/TID/schedstat (Documentation/scheduler/sched-stats.rst), of all threads.
 */
export function cpuTime({ trees }: Workload): number {
  let sum = 0;
  for (const { pid } of trees.flatMap(({ tasks }) => tasks)) {
    try {
      const folder = `/proc/${pid.toString()}/task`;
      for (const thread of readdirSync(folder)) sum += Number(readFileSync(`${folder}/${thread}/schedstat`, 'utf8').split(' ')[0]);
    } catch {
      // It has ended meanwhile.
    }
  }
  return sum;
}
