import { promises as fs, readFileSync } from 'node:fs';
import { cgroupThreads } from '../survey/task.ts';
import { write } from './write.ts';

/** '' for what has ended, or is not there. */
const read = (path: string): string => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
};

/** Of /proc/PID/status, the processors that a thread may run on, as a list of cpuset(7). */
export const processorsOf = (status: string): string | undefined => /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1];

/** Writes, `THREAD PROCESSORS` a line, what threads of a workload are bound to by sched_setaffinity(2): CRIU images nothing of it. */
export async function writeAffinity(workload: string, controlGroup: string): Promise<void> {
  // What a thread has that nobody has bound.
  const unbound = new Set(['/sys/devices/system/cpu/online', '/sys/devices/system/cpu/possible', `/sys/fs/cgroup${controlGroup}/cpuset.cpus.effective`].map(read));
  const lines = (await cgroupThreads(controlGroup)).flatMap((thread) => {
    const processors = processorsOf(read(`/proc/${thread.toString()}/status`));
    return processors === undefined || unbound.has(processors) ? [] : [`${thread.toString()} ${processors}\n`];
  });
  const path = `${workload}/affinity`;
  await (lines.length > 0 ? write(path, lines.join('')) : fs.rm(path, { force: true }));
}
