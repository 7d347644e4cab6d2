import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quoteArguments } from '../../../lab/guest/quote.js';

test('plain arguments stay readable', () => {
  expect(quoteArguments(['ls', '-l', '/etc/a_b.conf', 'k=v'])).toBe('ls -l /etc/a_b.conf k=v');
});

test('quotes, blanks, dollars, empty arguments and line ends arrive as they are', () => {
  const args = ['', ' ', "it's", '"', '$HOME', '`id`', 'a\nb', '*', '~', '#', '-n', '\\', 'ä'];
  expect(throughShell(args)).toEqual(args);
});

test('any argument arrives as it is', () => {
  const argument = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(fc.array(argument, { minLength: 1, maxLength: 5 }), (args) => {
      expect(throughShell(args)).toEqual(args);
    }),
    { numRuns: 40 },
  );
});

function throughShell(args: string[]): string[] {
  const command = `for a in ${quoteArguments(args)}; do printf '%s\\0' "$a"; done`;
  return execFileSync('sh', ['-c', command], { encoding: 'utf8' }).split('\0').slice(0, -1);
}
