import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LEGACY_PMEM, parseIomem, SYSTEM_RAM } from '../../../src/tools/iomem.ts';
import { fixture } from '../../fixtures/fixture.ts';
import { damaged, endless } from '../damaged.ts';

const PLAIN = fixture('iomem/6G.txt');
const SET_UP = fixture('iomem/6G-1G!5888M.txt');

test('the memory of the machine is what is at the top of /proc/iomem', () => {
  expect(parseIomem(PLAIN).filter(({ what }) => what === SYSTEM_RAM)).toEqual([
    { start: 0x1000, end: 0x9fc00, what: SYSTEM_RAM },
    { start: 0x10_0000, end: 0xbffd_d000, what: SYSTEM_RAM },
    { start: 0x1_0000_0000, end: 0x1_c000_0000, what: SYSTEM_RAM },
  ]);
});

test('a region that the kernel was told of is there, and the memory around it', () => {
  expect(parseIomem(SET_UP).filter(({ start }) => start >= 2 ** 32 && start < 2 ** 33)).toEqual([
    { start: 0x1_0000_0000, end: 0x1_7000_0000, what: SYSTEM_RAM },
    { start: 0x1_7000_0000, end: 0x1_b000_0000, what: LEGACY_PMEM },
    { start: 0x1_b000_0000, end: 0x1_c000_0000, what: SYSTEM_RAM },
  ]);
});

test('whatever stands there, a range has a beginning, an end and a name', () => {
  fc.assert(
    fc.property(damaged(PLAIN, SET_UP), (text) => {
      for (const { start, end, what } of parseIomem(text)) {
        expect(Number.isSafeInteger(start) && Number.isSafeInteger(end)).toBe(true);
        expect(what).not.toBe('');
      }
    }),
  );
  for (const text of endless('0', '-', ' : ', 'System RAM')) parseIomem(text);
});
