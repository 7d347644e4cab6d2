import { expect, test } from 'vitest';
import { oneByOne, restoredAfter } from '../../../src/plan/lanes.ts';
import { workload } from '../survey/builders.ts';

const sized = (sizes: readonly number[]) => sizes.map((memory, index) => workload(`${index.toString()}.service`, { memory }));

test('as many as there are lanes wait for nobody', () => {
  expect(restoredAfter(sized([1, 2, 3, 4]), 4).size).toBe(0);
});

test('no lane has much more to read than another, and the smallest of each comes first', () => {
  const after = restoredAfter(sized([100, 10, 10, 10, 40, 60]), 2);
  expect(Object.fromEntries(after)).toEqual({ '1.service': '3.service', '0.service': '1.service', '4.service': '2.service', '5.service': '4.service' });
});

test('each waits for one other at most, no two for the same, and nobody for himself in the end', () => {
  const after = restoredAfter(sized(Array.from({ length: 200 }, (_, index) => index % 7)), 4);
  expect(after.size).toBe(196);
  expect(new Set(after.values()).size).toBe(196);
  for (const unit of after.keys()) {
    const seen = new Set<string>();
    for (let at: string | undefined = unit; at !== undefined; at = after.get(at)) {
      expect(seen.has(at)).toBe(false);
      seen.add(at);
    }
  }
});

test('of those without whom a kernel is of no use one comes after the other, and then what they need', () => {
  const required = { unitFiles: [{ path: '/', content: '[X-Segue]\nRequired=yes\n' }] };
  const [large, small, needed] = [workload('large.service', { ...required, memory: 9 }), workload('small.service', { ...required, memory: 5 }), workload('needed.service', { memory: 1 })];
  expect(Object.fromEntries(oneByOne([needed, large, small]))).toEqual({ 'large.service': 'small.service', 'needed.service': 'large.service' });
});
