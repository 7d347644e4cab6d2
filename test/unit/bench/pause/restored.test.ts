import { expect, test } from 'vitest';
import { restoreTimes } from '../../../../lab/bench/pause/restored.js';

test('a restore is told by the time since the new kernel began, and by what it took', () => {
  const events = [
    { at: 10_500, event: 'restoring', unit: 'a.service' },
    { at: 10_600, event: 'restoring', unit: 'b.service' },
    { at: 11_000, event: 'restored', unit: 'a.service' },
    { at: 12_000, event: 'restored', unit: 'b.service' },
  ];
  expect(restoreTimes(events, 10_000)).toEqual([{ unit: 'a.service', at: 1000, ms: 500 }, { unit: 'b.service', at: 2000, ms: 1400 }]);
});
