import { expect, test } from 'vitest';
import { checkTicks } from '../../../lab/demo/ticks.js';

test('ticks in a row are right, and the longest time between two of them is the pause', () => {
  expect(checkTicks('1 100.000000001\n2 100.200000000\n3 121.700000000\n4 121.900000000\n')).toEqual({
    right: 4,
    wrong: 0,
    pauseMs: 21500,
  });
});

test('a clock that was set before the clients began is no pause', () => {
  expect(checkTicks('1 100.0\n2 900.0\n3 900.2\n4 921.2\n5 921.4\n', 3)).toEqual({ right: 5, wrong: 0, pauseMs: 21000 });
});

test('a tick that is missing is one error', () => {
  expect(checkTicks('1 1.0\n2 1.2\n4 1.6\n5 1.8\n')).toMatchObject({ right: 4 - 1, wrong: 1 });
});

test('a tick that comes twice is one error', () => {
  expect(checkTicks('1 1.0\n2 1.2\n2 1.4\n3 1.6\n')).toMatchObject({ right: 3, wrong: 1 });
});

test('a ticker that began again is an error', () => {
  expect(checkTicks('1 1.0\n2 1.2\n1 9.0\n2 9.2\n')).toMatchObject({ right: 3, wrong: 1 });
});

test('a file without ticks has nothing right in it', () => {
  expect(checkTicks('')).toMatchObject({ right: 0, wrong: 1 });
});
