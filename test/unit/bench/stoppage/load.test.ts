import { expect, test } from 'vitest';
import { serviceIn, throughputLoss, type Turn } from '../../../../lab/bench/stoppage/load/answers.js';
import { askAtPace, type Clock } from '../../../../lab/bench/stoppage/load/paced.js';
import { rewriteAtPace, rewrittenIn, type Pages, type Rewritten } from '../../../../lab/bench/stoppage/load/pages.js';

/** Time passes when somebody sleeps. */
class HeldClock implements Clock {
  #now = 0;

  now(): number {
    return this.#now;
  }

  async sleep(ms: number): Promise<void> {
    this.#now += ms;
  }
}

const turn = (at: number, waitedMs = 1, asked: 0 | 1 = 1): Turn => [at, waitedMs, asked];

test('a service is what its clients got within a span of time', () => {
  const turns = [turn(-1), ...Array.from({ length: 200 }, (_, index) => turn(index * 10, index < 198 ? 2 : 50)), turn(2000)];
  expect(serviceIn(turns, [{ from: 0, to: 2000 }])).toEqual({ seconds: 2, answersPerSecond: 100, p99Ms: 2, longestMs: 50 });
  expect(serviceIn(turns, [{ from: 0, to: 500 }, { from: 1500, to: 2000 }])).toEqual({ seconds: 1, answersPerSecond: 100, p99Ms: 50, longestMs: 50 });
  expect(serviceIn(turns, [{ from: 5000, to: 6000 }])).toBeUndefined();
});

test('turns that passed while an answer was waited for are lost, and have waited', () => {
  const before = serviceIn(Array.from({ length: 10 }, (_, index) => turn(index * 100)), [{ from: 0, to: 1000 }]);
  const during = serviceIn([turn(0, 350), turn(100, 250, 0), turn(200, 150, 0), turn(300, 50, 0), ...[4, 5, 6, 7, 8, 9].map((index) => turn(index * 100))], [{ from: 0, to: 1000 }]);
  expect(before && during && throughputLoss(before, during)).toBeCloseTo(0.3);
  expect(during?.p99Ms).toBe(350);
});

test('a client keeps its times, and does not make up for those that it missed', async () => {
  const turns: Turn[] = [];
  const clock = new HeldClock();
  await askAtPace(() => clock.sleep(turns.length === 0 ? 130 : 1), { everyMs: 50, firstAt: 1000 }, clock, (each) => turns.push(each), () => turns.length >= 5);
  expect(turns).toEqual([[1000, 130, 1], [1050, 80, 0], [1100, 30, 0], [1150, 1, 1], [1200, 1, 1]]);
});

test('pages are rewritten by time, and what Redis did not take for a long while is not made up for', async () => {
  const clock = new HeldClock();
  const rewritten: Rewritten[] = [];
  // 1000 pages, a tenth each second, 50 ms a tick; the third answer takes a second.
  const pages = { count: 1000, rewrite: () => clock.sleep(rewritten.length === 2 ? 1000 : 10) };
  await rewriteAtPace(pages as unknown as Pages, 0.1, clock, (each) => rewritten.push(each), () => rewritten.length >= 5);
  expect(rewritten.map(([, count]) => count)).toEqual([5, 5, 5, 10, 5]);
  expect(rewrittenIn(rewritten, 1000, { from: 0, to: 150 })).toBeCloseTo(0.1, 1);
});
