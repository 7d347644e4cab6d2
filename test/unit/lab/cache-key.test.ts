import { expect, test } from 'vitest';
import { cacheKey } from '../../../lab/cache-key.js';

test('the same ingredients give the same key in any order', () => {
  expect(cacheKey({ a: 1, b: { c: [1, 2], d: 'x' } })).toBe(cacheKey({ b: { d: 'x', c: [1, 2] }, a: 1 }));
});

test('any change of an ingredient gives another key', () => {
  const key = cacheKey({ packages: ['a', 'b'], kernel: '6.12' });
  expect(cacheKey({ packages: ['b', 'a'], kernel: '6.12' })).not.toBe(key);
  expect(cacheKey({ packages: ['a', 'b'], kernel: '6.13' })).not.toBe(key);
  expect(cacheKey({ packages: ['a,b'], kernel: '6.12' })).not.toBe(key);
});

test('an ingredient that is undefined counts as not there', () => {
  expect(cacheKey({ a: 1, b: undefined })).toBe(cacheKey({ a: 1 }));
});

test('a key can be the name of a folder', () => {
  expect(cacheKey({ path: '/a/b c' })).toMatch(/^[0-9a-f]{16}$/);
});
