import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { failed, ok, type Result } from '../failure/result.ts';
import { platformReason } from '../model/platform.ts';

const POLL_MILLISECONDS = 50;

/** The units below this slice that are wanted. Login sessions, which end, are not looked at. */
function unitsIn(slice: string, wanted: (unit: string) => boolean): string[] {
  return readdirSync(slice, { withFileTypes: true }).filter((entry) => entry.isDirectory()).flatMap(({ name }) => {
    if (name === 'user.slice') return [];
    if (name.endsWith('.slice')) return unitsIn(`${slice}/${name}`, wanted);
    return /\.(service|scope)$/.test(name) && wanted(name) && isBusy(`${slice}/${name}`) ? [name] : [];
  });
}

/** It has a process (cgroup-v2.rst, "cgroup.events"). */
function isBusy(controlGroup: string): boolean {
  try {
    return /^populated 1$/m.test(readFileSync(`${controlGroup}/cgroup.events`, 'utf8'));
  } catch {
    return false; // it has ended
  }
}

/** Waits until no unit runs but those that are known, and those that are started afresh in any case: the jump would cut it off unsaid. */
export async function awaitNewcomers(known: readonly string[], seconds: number, slice = '/sys/fs/cgroup'): Promise<Result<undefined>> {
  const expected = new Set(known);
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const [newcomer] = unitsIn(slice, (unit) => !expected.has(unit) && platformReason(unit, {}) === undefined);
    if (newcomer === undefined) return ok(undefined);
    if (performance.now() > end) return failed({ reason: 'unit-began', unit: newcomer });
    await sleep(POLL_MILLISECONDS);
  }
}
