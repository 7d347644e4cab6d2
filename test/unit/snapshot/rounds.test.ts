import { expect, test } from 'vitest';
import { anotherRound, fallsBehind, isHopeless } from '../../../src/snapshot/rounds.ts';

const MIB = 2 ** 20;
const after = (budget: number, ...sizes: number[]): boolean => anotherRound(sizes.map((mebibytes) => ({ bytes: mebibytes * MIB, heldMs: 10 })), budget * MIB, 1000);

test('rounds go on while each leaves clearly less than the one before', () => {
  expect(after(3000)).toBe(true);
  expect(after(3000, 1000)).toBe(true);
  expect(after(3000, 1000, 300)).toBe(true);
  expect(after(3000, 1000, 900)).toBe(false);
});

test('little is left to the stoppage', () => {
  expect(after(3000, 1000, 2)).toBe(false);
  expect(after(3000, 3)).toBe(false);
});

test('neither their number nor what they write is without bounds', () => {
  expect(after(1500, 1000)).toBe(false);
  expect(after(100_000, 6400, 3200, 1600, 800, 400)).toBe(true);
  expect(after(100_000, 6400, 3200, 1600, 800, 400, 200)).toBe(false);
});

test('who was held for long is left in peace', () => {
  const rounds = (heldMs: number) => [{ bytes: 1000 * MIB, heldMs }];
  expect(anotherRound(rounds(5000), 3000 * MIB, 1000)).toBe(true);
  expect(anotherRound(rounds(5001), 3000 * MIB, 1000)).toBe(false);
});

test('memory of which more than a quarter is written again while it is read had better be imaged as a whole', () => {
  expect([0, 249, 251].map((left) => isHopeless(left, 1000))).toEqual([false, false, true]);
});

test('rounds have caught up when they leave a tenth of the memory', () => {
  expect([0, 99, 101].map((bytes) => fallsBehind(bytes, 1000))).toEqual([false, false, true]);
});
