import { expect, test } from 'vitest';
import { parseEvents } from '../../../../lab/bench/journal.js';
import { critical, timeline } from '../../../../lab/bench/stoppage/timeline.js';
import { at, JOURNAL } from './journal-lines.ts';

const events = parseEvents(JOURNAL);
const workloads = [{ unit: 'critical.service', parkedAt: at(105) }, { unit: 'a.service', parkedAt: at(101), heldMs: 7 }, { unit: 'b.service' }, { unit: 's.service' }];

test('the status says when each was stopped; the journal, where it does not', () => {
  expect(timeline(workloads, events)).toEqual([
    { unit: 's.service', at: 0, forMs: 10_000 },
    { unit: 'a.service', at: 1000, forMs: 9000, snapshotHeldMs: 7 },
    { unit: 'b.service', at: 2000, forMs: 8000 },
    { unit: 'critical.service', at: 5000, forMs: 5000 },
  ]);
});

test('a workload of which nobody knows when it was stopped is an error', () => {
  expect(() => timeline([{ unit: 'x.service' }], events)).toThrow('x.service');
});

test('the critical workload is compared with others of its size', () => {
  const stops = timeline(workloads, events);
  expect(critical('critical.service', stops, (unit) => unit === 'b.service')).toEqual({ forMs: 5000, last: true, othersMs: 8000 });
  expect(critical('a.service', stops, () => false)).toEqual({ forMs: 9000, last: false });
  expect(critical('x.service', stops, () => true)).toBeUndefined();
});
