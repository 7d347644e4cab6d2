import { expect, test } from 'vitest';
import { duration, table } from '../../../src/report/table.ts';

test('columns are aligned under upper-case names, and no line ends in blanks', () => {
  expect(table(['unit', 'pid', 'why'], [['redis-server.service', '1', ''], ['a', '12345', 'x']])).toBe(
    ['UNIT                  PID    WHY', 'redis-server.service  1', 'a                     12345  x'].join('\n'),
  );
});

test('a table without rows is its header', () => {
  expect(table(['id', 'state'], [])).toBe('ID  STATE');
});

test('the last column may be as long as it likes', () => {
  expect(table(['a', 'why'], [['1', 'x'.repeat(300)]]).split('\n')[0]).toBe('A  WHY');
});

test.each([
  [0, '0 ms'],
  [849.6, '850 ms'],
  [999, '999 ms'],
  [1000, '1.0 s'],
  [12_345, '12.3 s'],
  [59_900, '59.9 s'],
  [60_000, '1 min 0 s'],
  [125_000, '2 min 5 s'],
  [3_600_000, '60 min 0 s'],
])('%d milliseconds are %s', (milliseconds, text) => {
  expect(duration(milliseconds)).toBe(text);
});
