import { expect, test } from 'vitest';
import { parseEvents } from '../../../../lab/bench/journal.js';
import { stepsOf, togetherMs } from '../../../../lab/bench/steps.js';
import { freezeOf, makeStoppage } from '../../../../lab/bench/parts.js';
import { JOURNAL, line } from './journal-lines.ts';

const events = parseEvents(JOURNAL);

test('a step that makes an image ends with that image, another when the next begins', () => {
  expect(stepsOf(events).map(({ step, startedAt, ms, image }) => [step, startedAt, ms, image])).toEqual([
    ['stop those that sleep', 0, 1000, false],
    ['image a (1) and leave it stopped', 1000, 4000, true],
    ['image b (2) and leave it stopped', 2000, 4000, true],
    ['image critical (4) and leave it stopped', 5000, 1000, true],
    ['archive its /tmp', 6000, 1000, false],
    ['seal the hand-over', 7000, 2000, false],
    ['write all filesystems to disk', 9000, 1000, false],
  ]);
});

test('time in which two steps are at work counts once', () => {
  const step = { phase: 'park', step: '', image: true };
  expect(togetherMs([{ ...step, startedAt: 0, ms: 10 }, { ...step, startedAt: 2, ms: 3 }, { ...step, startedAt: 8, ms: 4 }, { ...step, startedAt: 20, ms: 1 }])).toBe(13);
});

test('the parts of the stoppage make up the whole', () => {
  const { stoppageMs, parts, criuCounted } = makeStoppage(events);
  expect(stoppageMs).toBe(10_000);
  // Images were made for 5 s; of the 9 s that the steps took side by side, CRIU held tasks for 4.5.
  expect(parts).toEqual({ criuMs: 2500, segueMs: 6500, kernelMs: 1000, bootMs: 4000, restoreMs: 6000 });
  expect(criuCounted).toBe(true);
});

test('memory that was imaged before is that of snapshots that hold, whole ones and others', () => {
  expect(makeStoppage(events)).toMatchObject({ imagedMiB: 4, earlierMiB: 9, imaged: 3, current: 1, changed: 0 });
});

test('a journal that says less is measured as well: then all of the imaging is CRIU’s', () => {
  const older = events.map(({ heldMs, current, whole, ...event }) => event);
  const stoppage = makeStoppage(older);
  expect(stoppage).toMatchObject({ criuCounted: false, current: 0, earlierMiB: 1, parts: { criuMs: 5000, segueMs: 4000, kernelMs: 1000 } });
  expect(freezeOf('a.service', stoppage)).toBe(4000);
});

test('how long CRIU held a unit is its own count; of one that was not imaged there is none', () => {
  expect(freezeOf('a.service', makeStoppage(events))).toBe(2000);
  expect(freezeOf('s.service', makeStoppage(events))).toBeUndefined();
});

test('fields of another shape than they are known in are passed over, a torn line is not', () => {
  expect(parseEvents(line(1, { event: 'current', current: 'all', unit: 'a.service' }))).toMatchObject([{ event: 'current', unit: 'a.service', at: 1000 }]);
  expect(() => parseEvents('{"at":"1970')).toThrow();
});

test('an upgrade without a jump has no stoppage', () => {
  expect(() => makeStoppage(events.filter(({ event }) => event !== 'jumping'))).toThrow('does not tell of a stoppage');
});
