import { expect, test } from 'vitest';
import { median, spreadOf } from '../../../lab/bench/spread.js';

test('the median of an even number of values lies between the two in the middle', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([])).toBeUndefined();
});

test('a spread has the least and the most beside the median; of nothing there is none', () => {
  expect(spreadOf([3, 1, 2])).toEqual({ median: 2, min: 1, max: 3 });
  expect(spreadOf([])).toBeUndefined();
});
