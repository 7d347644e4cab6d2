import { expect, test } from 'vitest';
import { parseLdd } from '../../../src/tools/busybox.ts';
import { fixture } from '../../fixtures/fixture.ts';

test('the libraries of a program, with its loader, but not what the kernel brings', () => {
  expect(parseLdd(fixture('ldd/busybox.txt'))).toEqual(['/lib/x86_64-linux-gnu/libresolv.so.2', '/lib/x86_64-linux-gnu/libc.so.6', '/lib64/ld-linux-x86-64.so.2']);
});

test('a static program needs none', () => {
  expect(parseLdd('\tstatically linked\n')).toEqual([]);
  expect(parseLdd('\tnot a dynamic executable\n')).toEqual([]);
});
