import { expect, test } from 'vitest';
import { readArguments, USAGE } from '../../../lab/faults/arguments.js';
import { FAULT_NAMES } from '../../../lab/faults/faults.js';

test('without --only every fault is tried, with 200 random moments and some seed', () => {
  const { seed, ...others } = readArguments([]);
  expect(others).toEqual({ help: false, only: FAULT_NAMES, match: [], moments: 200, json: undefined });
  expect(Number.isInteger(seed)).toBe(true);
});

test('--only takes several names, also when other options follow', () => {
  expect(readArguments(['--only', 'kill-segue', 'power-cut', '--match', 'a step', '--moments', '3', '--seed', '7', '--json', 'out']))
    .toEqual({ help: false, only: ['kill-segue', 'power-cut'], match: ['a step'], moments: 3, seed: 7, json: 'out' });
});

test.each([[['kill-segue']], [['--only', 'earthquake']], [['--moments', 'many']], [['--seed', '-1']], [['--fast']]])('%j is refused', (args) => {
  expect(() => readArguments(args)).toThrow();
});

test('the usage names every fault', () => {
  for (const name of FAULT_NAMES) expect(USAGE).toContain(name);
});
