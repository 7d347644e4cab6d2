import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { NO_LIMIT } from '../model/step.ts';
import { ownControlGroup } from '../tools/systemd-run.ts';
import { thaw } from './freezer.ts';

/** Short, as a task that must stop is kept from it while it has no time left. */
const PERIOD = { least: 20_000, most: 200_000 };
/** The kernel takes no less (min_cfs_quota_period in kernel/sched/core.c). */
const LEAST_QUOTA = 1000;
const SAMPLE_MILLISECONDS = 500;

const file = (controlGroup: string, name: string): string => `/sys/fs/cgroup${controlGroup}/${name}`;

function read(controlGroup: string, name: string): string | undefined {
  try {
    return readFileSync(file(controlGroup, name), 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** How much of the processors a cgroup may have. */
export const limitOf = (controlGroup: string): string => read(controlGroup, 'cpu.max') ?? NO_LIMIT;

/** False where there is no such file: without the controller there is none, and none can be made. */
function write(controlGroup: string, name: string, value: string): boolean {
  try {
    writeFileSync(file(controlGroup, name), value, { flag: 'r+' });
    return true;
  } catch {
    return false;
  }
}

/** Gives a cgroup this limit; false where it can have none. */
export const setLimit = (controlGroup: string, limit: string): boolean => write(controlGroup, 'cpu.max', limit);

/** Lets a cgroup go on as fast as it did with this limit. */
export async function fullSpeed(controlGroup: string, limit: string): Promise<void> {
  setLimit(controlGroup, limit);
  await thaw([controlGroup]);
}

/** The limit by which a cgroup has a part of the time that it used of `microseconds`. */
export function limitTo(part: number, usedMicroseconds: number, microseconds: number): string {
  const share = (part * usedMicroseconds) / microseconds;
  const period = Math.min(PERIOD.most, Math.max(PERIOD.least, Math.round(LEAST_QUOTA / share)));
  return `${Math.max(LEAST_QUOTA, Math.round(share * period)).toString()} ${period.toString()}`;
}

/** Microseconds that the tasks of a cgroup have been on a processor (cgroup-v2.rst, `cpu.stat`). */
const used = (controlGroup: string): number => Number(/^usage_usec (\d+)$/m.exec(read(controlGroup, 'cpu.stat') ?? '')?.[1] ?? NaN);

/** Leaves a cgroup a part of the time that it uses now; gives its new limit, or undefined where it can have none. */
export async function slowDown(controlGroup: string, part: number): Promise<string | undefined> {
  const began = performance.now();
  const before = used(controlGroup);
  await sleep(SAMPLE_MILLISECONDS);
  const spent = used(controlGroup) - before;
  if (Number.isNaN(spent)) return undefined;
  const limit = limitTo(part, spent, (performance.now() - began) * 1000);
  return setLimit(controlGroup, limit) ? limit : undefined;
}

/** The most that there is (cgroup-v2.rst, `cpu.weight`; 100 is usual). */
const MOST = '10000';

/**
 * Has the cgroup of this process, and of what it starts, come before its neighbours on the processors until the work is done. systemd
 * looks at each cgroup that is frozen, and takes longer for that than to freeze it: of those who stand still nobody is to wait for this.
 * Who is killed meanwhile leaves nothing behind: its cgroup goes with it.
 */
export async function urgently<T>(work: () => Promise<T>, controlGroup = ownControlGroup()): Promise<T> {
  const weight = read(controlGroup, 'cpu.weight');
  write(controlGroup, 'cpu.weight', MOST);
  try {
    return await work();
  } finally {
    if (weight !== undefined) write(controlGroup, 'cpu.weight', weight);
  }
}
