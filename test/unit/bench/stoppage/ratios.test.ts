import { expect, test } from 'vitest';
import { casesFor, ratiosOf } from '../../../../lab/bench/stoppage/ratios.js';

test('both sides of a ratio are from one run', () => {
  const figures = [[1, 10, 12], [2, 100, 110], [3, 20, 40]].flatMap(([run = 0, few = 0, many = 0]) => [
    { run, name: 'fewWorkloads', upgrade: { stoppageMs: few } },
    { run, name: 'manyWorkloads', upgrade: { stoppageMs: many } },
  ]);
  expect(ratiosOf(figures)).toEqual({ idleWorkloads: 1.2 });
});

test('a ratio of which one side is missing is left out', () => {
  expect(ratiosOf([{ run: 1, name: 'fewWorkloads', upgrade: { stoppageMs: 1 } }, { run: 2, name: 'manyWorkloads', upgrade: { stoppageMs: 1 } }])).toEqual({});
});

test('what was lost of the throughput is a ratio already', () => {
  expect(ratiosOf([{ run: 1, name: 'besideService', service: { throughputLoss: 0.03, p99Growth: 1.2, p99AgainstCopy: 0.9 } }])).toEqual({ throughputLoss: 0.03, p99Growth: 1.2, p99AgainstCopy: 0.9 });
});

test('a case that two ratios need is measured once', () => {
  expect(casesFor(['idleWorkloads', 'throughputLoss', 'p99Growth', 'idleWorkloads'])).toEqual(['fewWorkloads', 'manyWorkloads', 'besideService']);
});
