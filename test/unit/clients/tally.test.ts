import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Tally } from '../../../lab/clients/tally.js';

test('the pause is the longest time between two answers in a row', async () => {
  const tally = new Tally('a');
  await sleep(120);
  for (const pause of [0, 30, 80, 10, 50]) {
    await sleep(pause);
    tally.answer();
  }
  await sleep(120);
  const { answers, pauseMs, longestGaps } = tally.result();
  expect(answers).toBe(5);
  expect(pauseMs).toBeGreaterThanOrEqual(78);
  expect(longestGaps).toHaveLength(3);
  expect(longestGaps.map((gap) => gap.ms)).toEqual(longestGaps.map((gap) => gap.ms).sort((one, other) => other - one));
});

test('of many messages the first few are kept, and all are counted', () => {
  const tally = new Tally('a');
  for (let n = 1; n <= 100; n++) tally.error(`wrong ${n}`);
  const { errors, messages } = tally.result();
  expect(errors).toBe(100);
  expect(messages).toEqual(['wrong 1', 'wrong 2', 'wrong 3', 'wrong 4', 'wrong 5']);
});
