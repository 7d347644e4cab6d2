import { expect, test } from 'vitest';
import type { Step } from '../../../src/model/step.ts';
import { Patience } from '../../../src/upgrade/patience.ts';

const MINUTE = 60_000;
const step = (unit?: string): Step => ({ phase: 'snapshot', title: 'x', action: { kind: 'unlock' }, ...(unit === undefined ? {} : { unit }) });

test('a unit is left in peace after a snapshot, and for longer each time that it is out of date soon', () => {
  let now = 0;
  const patience = new Patience(() => now);
  const at = (minutes: number): boolean => { now = minutes * MINUTE; return patience.allows(step('a.service')); };
  expect(at(0)).toBe(true);
  expect(at(0.1)).toBe(true); // its memory, then all of it
  expect(at(0.9)).toBe(false);
  expect(at(1.1)).toBe(true);
  expect(at(2.5)).toBe(false); // two minutes now
  expect(at(3.2)).toBe(true);
  expect(at(6)).toBe(false); // four
  expect(at(60)).toBe(true); // it has slept since
  expect(at(60.9)).toBe(false);
  expect(at(61.1)).toBe(true);
});

test('nobody waits for another unit, and what is of no unit for none', () => {
  const patience = new Patience(() => 0);
  expect(patience.allows(step('a.service'))).toBe(true);
  expect(patience.allows(step('b.service'))).toBe(true);
  expect(patience.allows(step())).toBe(true);
});
