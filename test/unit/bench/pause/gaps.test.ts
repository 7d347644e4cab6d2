import fc from 'fast-check';
import { expect, test } from 'vitest';
import { gapAround, lengthOf, longestAfter, longestGap } from '../../../../lab/bench/pause/gaps.js';

test('a gap goes from the last good answer before to the first one after', () => {
  expect(gapAround([0, 20, 40, 5000, 5020], 3000)).toEqual({ from: 40, to: 5000 });
});

test('it is the gap of the upgrade that counts, even where a longer one follows', () => {
  const answers = [0, 20, 2000, 2020, 9000];
  expect(gapAround(answers, 1000)).toEqual({ from: 20, to: 2000 });
  expect(longestGap(answers)).toEqual({ from: 2020, to: 9000 });
  expect(longestAfter(answers, 2000)).toBe(6980);
});

test('a service that was not there before, or did not come back, has no gap', () => {
  expect(gapAround([100, 120], 50)).toBeUndefined();
  expect(gapAround([100, 120], 500)).toBeUndefined();
  expect(longestGap([1])).toBeUndefined();
  expect(longestAfter([1, 2], 2)).toBe(0);
});

test('no gap is longer than the longest', () => {
  fc.assert(fc.property(fc.array(fc.nat(100_000), { minLength: 2 }), fc.nat(100_000), (times, moment) => {
    const answers = times.toSorted((a, b) => a - b);
    const gap = gapAround(answers, moment);
    const longest = longestGap(answers);
    return gap === undefined || (longest !== undefined && lengthOf(gap) <= lengthOf(longest));
  }));
});
