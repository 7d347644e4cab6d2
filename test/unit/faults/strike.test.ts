import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { images, randomStrike } from '../../../lab/faults/kills.js';
import { afterStrike, parseStruck, strikeScript } from '../../../lab/faults/strike.js';
import { Random } from '../../../lab/random.js';

const SAID = `make the hand-over
struck at 1795000000123456
still until 1795000000923000
locked until 0
`;

test('what a strike says is read in milliseconds; what was never seen is left out', () => {
  expect(parseStruck(SAID)).toEqual({ at: 1795000000123, stillUntil: 1795000000923 });
});

test('an upgrade that was over before the strike was not struck', () => {
  expect(parseStruck('still until 0\nlocked until 0\n')).toBeUndefined();
});

test('the time counts from the strike, or from when the upgrade gave up', () => {
  expect(afterStrike({ at: 1000, stillUntil: 1800, lockedUntil: 1900 }, undefined)).toEqual({ stillMs: 800, lockedMs: 900 });
  expect(afterStrike({ at: 1000, stillUntil: 9500, lockedUntil: 9000 }, 9200)).toEqual({ stillMs: 300, lockedMs: 0 });
  expect(afterStrike({ at: 1000 }, undefined)).toEqual({ stillMs: 0, lockedMs: 0 });
});

test.each(['segue', 'guard', 'both', 'criu'] as const)('the script that strikes %s is one that bash understands', (target) => {
  expect(() => execFileSync('bash', ['-n', '-c', strikeScript({ target, signal: 'KILL', delay: 0.5 })])).not.toThrow();
});

test('the same seed gives the same strikes', () => {
  const strikes = (seed: number) => {
    const random = new Random(seed);
    return Array.from({ length: 20 }, () => randomStrike(random, [{ phase: 'park', title: 'one' }, { phase: 'park', title: 'other' }]));
  };
  expect(strikes(7)).toEqual(strikes(7));
  expect(strikes(7)).not.toEqual(strikes(8));
  expect(new Set(strikes(7).map(({ target }) => target)).size).toBeGreaterThan(1);
});

test.each([
  ['image the memory of redis-server (361) while it runs', true],
  ['image all of it while it sleeps', true],
  ['image postgres (435) and leave it stopped', true],
  ['seal the hand-over', false],
  ['make a folder for the images of 361', false],
])('whether criu is run at "%s": %s', (title, is) => {
  expect(images({ title })).toBe(is);
});
