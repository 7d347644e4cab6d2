import { expect, test } from 'vitest';
import { readArguments, USAGE } from '../../../lab/bench/arguments.js';
import { describeCase, readScale } from '../../../lab/bench/cases.js';
import { RATIO_NAMES } from '../../../lab/bench/ratios.js';

test('without --only every ratio is measured, once', () => {
  expect(readArguments(['stoppage'])).toEqual({ help: false, runs: 1, json: undefined, only: RATIO_NAMES });
});

test('--only takes several names, also when other options follow', () => {
  expect(readArguments(['stoppage', '--only', 'idleMemory', 'throughputLoss', '--runs', '3', '--json', 'out']))
    .toEqual({ help: false, runs: 3, json: 'out', only: ['idleMemory', 'throughputLoss'] });
});

test.each([[[]], [['speed']], [['stoppage', 'idleMemory']], [['stoppage', '--only', 'speed']], [['stoppage', '--runs', '0']], [['stoppage', '--fast']]])('%j is refused', (args) => {
  expect(() => readArguments(args)).toThrow();
});

test('the usage names every ratio', () => {
  for (const name of RATIO_NAMES) expect(USAGE).toContain(name);
});

test('the scale is a part of the usual size', () => {
  expect(readScale('0.02')).toBe(0.02);
  for (const wrong of ['0', '2', 'little']) expect(() => readScale(wrong)).toThrow('SEGUE_BENCH_SCALE');
});

test('a case is told with the sizes that it has', () => {
  expect(describeCase({ sleepers: [{ count: 3, mib: 8 }, { count: 1, mib: 448 }], redis: { mib: 4, rewritten: 0.05 }, prepare: false }))
    .toBe('3 sleeping workloads of 8 MiB, 1 sleeping workload of 448 MiB, Redis with 4 MiB, of which 5 % are rewritten each second, a critical workload; --no-prepare');
});
