import { expect, test } from 'vitest';
import { longestAbove, PHASE_NAMES, phasesOf } from '../../../../lab/bench/pause/phases.js';

const gap = { from: 1000, to: 9000 };

test('the phases make up the pause', () => {
  expect(phasesOf(gap, { left: 3000, kernel: 4000, userspace: 6500 })).toEqual({ stop: 2000, kexec: 1000, boot: 2500, start: 2500 });
});

test('where nothing is started, the boot is the end', () => {
  expect(phasesOf(gap, { left: 3000, kernel: 4000 })).toEqual({ stop: 2000, kexec: 1000, boot: 5000, start: 0 });
});

test('moments that clocks have put outside of the gap, or before each other, do not change its length', () => {
  for (const moments of [{ left: 0, kernel: 500, userspace: 600 }, { left: 5000, kernel: 4000, userspace: 3000 }, { left: 99_000, kernel: 99_000, userspace: 99_000 }]) {
    const phases = phasesOf(gap, moments);
    expect(PHASE_NAMES.reduce((sum, name) => sum + phases[name], 0)).toBe(8000);
    for (const name of PHASE_NAMES) expect(phases[name]).toBeGreaterThanOrEqual(0);
  }
});

test('what to look at first is what takes the most above the floor, not what takes the longest', () => {
  expect(longestAbove({ stop: 1000, kexec: 5000, boot: 4000, start: 2000 }, { stop: 0, kexec: 5000, boot: 3500, start: 0 })).toBe('start');
});
