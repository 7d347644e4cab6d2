import { setTimeout as sleep } from 'node:timers/promises';
import { failed, ok, type Result } from '../failure/result.ts';
import { platformReason } from '../model/platform.ts';
import { busyUnits } from '../tools/cgroup.ts';

const POLL_MILLISECONDS = 50;

/** Waits until no unit runs but those that are known, and those that are started afresh in any case: the jump would cut it off unsaid. */
export async function awaitNewcomers(known: readonly string[], seconds: number, slice = '/sys/fs/cgroup'): Promise<Result<undefined>> {
  const expected = new Set(known);
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const [newcomer] = busyUnits((unit) => !expected.has(unit) && platformReason(unit, {}) === undefined, slice);
    if (newcomer === undefined) return ok(undefined);
    if (performance.now() > end) return failed({ reason: 'unit-began', unit: newcomer });
    await sleep(POLL_MILLISECONDS);
  }
}
