import { expect, test } from 'vitest';
import { summaryText } from '../../../../lab/bench/pause/print.js';
import type { Slope } from '../../../../lab/bench/pause/slope.js';
import { summarize } from '../../../../lab/bench/pause/summary.js';
import { measurement } from './measurements.ts';

const slope: Slope = { run: 1, accelerator: 'tcg', smallMiB: 256, largeMiB: 2048, smallMs: 4000, largeMs: 4500, copyMs: 1000, slope: 0.5 };
const measurements = [
  ...[2000, 2200, 2100].map((ms, index) => measurement('floor', index + 1, ms)),
  ...[40_000, 42_000, 41_000].map((ms, index) => measurement('reboot', index + 1, ms)),
  ...[5000, 4000, 4500].map((ms, index) => measurement('segueDisk', index + 1, ms, ms + 1000)),
];

test('a way is the median of its runs, with the least and the most', () => {
  const { floorMs, ways, memorySlope } = summarize(measurements, [slope]);
  expect(floorMs).toBe(2100);
  expect(ways['floor']).toBeUndefined();
  expect(ways['segueDisk']).toMatchObject({ criticalMs: { median: 4500, min: 4000, max: 5000 }, allMs: { median: 5500, min: 5000, max: 6000 } });
  expect(memorySlope).toBe(0.5);
});

test('the phases are those of one run, so that they make up its pause', () => {
  const { ways } = summarize(measurements, []);
  expect(ways['segueDisk']?.phases).toEqual({ stop: 1125, kexec: 1125, boot: 1125, start: 1125 });
});

test('a target is a ratio of medians, and reached or not', () => {
  const { targets } = summarize(measurements, [slope]);
  expect(targets.map(({ what, value, reached }) => [what, Number(value.toFixed(2)), reached])).toEqual([
    ['segueDisk: the critical workloads, in floors', 2.14, false],
    ['segueDisk: the last workload, in floors', 2.62, true],
    ['segueDisk: times shorter than reboot', 9.11, true],
    ['the growth with memory, in plain copies', 0.5, false],
  ]);
});

test('what was not measured is not there', () => {
  expect(summarize([], [])).toMatchObject({ ways: {}, targets: [], measurements: [] });
  expect(summarize([], [])).not.toHaveProperty('floorMs');
});

test('the table says where the time goes only when a target is not reached', () => {
  expect(summaryText(summarize(measurements, []))).toContain('Where the time of segueDisk goes');
  expect(summaryText(summarize([measurement('floor', 1, 3000), measurement('segueDisk', 1, 3000)], []))).not.toContain('Where the time');
});
