import { expect, test } from 'vitest';
import { describeCase } from '../../../../lab/bench/stoppage/cases.js';
import { RATIO_NAMES } from '../../../../lab/bench/stoppage/ratios.js';
import { readStoppageArguments, usage } from '../../../../lab/bench/stoppage/stoppage.js';

test('without --only every ratio is measured, once', () => {
  expect(readStoppageArguments([])).toEqual({ help: false, runs: 1, json: undefined, plot: undefined, only: RATIO_NAMES });
});

test('--only takes several names, also when other options follow', () => {
  expect(readStoppageArguments(['--only', 'idleMemory', 'throughputLoss', '--runs', '3', '--json', 'out']))
    .toEqual({ help: false, runs: 3, json: 'out', plot: undefined, only: ['idleMemory', 'throughputLoss'] });
});

test.each([[['idleMemory']], [['--only', 'speed']], [['--runs', '0']], [['--fast']], [['--plot', 'file.svg']]])('%j is refused', (args) => {
  expect(() => readStoppageArguments(args)).toThrow();
});

test('the usage names every ratio', () => {
  for (const name of RATIO_NAMES) expect(usage).toContain(name);
});

test('a case is told with the sizes that it has', () => {
  expect(describeCase({ sleepers: [{ count: 3, mib: 8 }, { count: 1, mib: 448 }], redis: { mib: 4, rewritten: 0.05 }, command: 'segue upgrade --no-prepare' }))
    .toBe('3 sleeping workloads of 8 MiB, 1 sleeping workload of 448 MiB, Redis with 4 MiB, of which 5 % are rewritten each second, a critical workload; segue upgrade --no-prepare');
});
