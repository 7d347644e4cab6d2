import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A task in the midst of a system call that cannot be broken off (a page of a file that NFS has) stops when that ends. */
const FREEZE_MILLISECONDS = 1000;

const file = (controlGroup: string, name: string): string => `/sys/fs/cgroup${controlGroup}/${name}`;

export function isFrozen(controlGroup: string): boolean {
  try {
    return /^frozen 1$/m.test(readFileSync(file(controlGroup, 'cgroup.events'), 'utf8'));
  } catch {
    return false; // it is gone
  }
}

function set(controlGroup: string, value: '0' | '1'): void {
  try {
    writeFileSync(file(controlGroup, 'cgroup.freeze'), value);
  } catch {
    // It is gone: whoever needs it finds that out.
  }
}

/** Has whoever would go on in these cgroups stop, as soon as that can be (cgroup-v2.rst, "cgroup.freeze"). */
export function beginFreezing(controlGroups: readonly string[]): void {
  for (const group of controlGroups) set(group, '1');
}

/** Stops these cgroups; gives those that did not stop in time. */
export async function freeze(controlGroups: readonly string[]): Promise<string[]> {
  beginFreezing(controlGroups);
  const end = performance.now() + FREEZE_MILLISECONDS;
  let left = controlGroups.filter((group) => !isFrozen(group));
  while (left.length > 0 && performance.now() < end) {
    await sleep(5);
    left = left.filter((group) => !isFrozen(group));
  }
  return left;
}

/** Lets them go on. */
export async function thaw(controlGroups: readonly string[]): Promise<void> {
  for (const group of controlGroups) set(group, '0');
}
