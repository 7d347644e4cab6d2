import { expect, test } from 'vitest';
import { readPauseArguments, usage } from '../../../../lab/bench/pause/pause.js';
import { WAY_NAMES } from '../../../../lab/bench/pause/ways.js';

test('each way is tried five times, in turn', () => {
  expect(readPauseArguments([])).toMatchObject({ runs: 5, json: undefined, plot: undefined, only: [...WAY_NAMES, 'memorySlope'] });
});

test('some ways only, in the order in which they are always tried', () => {
  expect(readPauseArguments(['--only', 'segueDisk', 'floor', '--runs', '1', '--plot', 'a.svg'])).toMatchObject({ runs: 1, plot: 'a.svg', only: ['floor', 'segueDisk'] });
});

test.each([[['fast']], [['--only', 'teleport']], [['--runs', 'many']]])('%j is refused', (args) => {
  expect(() => readPauseArguments(args)).toThrow();
});

test('the usage names every way', () => {
  for (const name of WAY_NAMES) expect(usage).toContain(name);
});
