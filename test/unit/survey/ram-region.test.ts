import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ALIGNMENT, chooseRegion, LEAST } from '../../../src/survey/ram-region.ts';
import { LEGACY_PMEM, parseIomem, SYSTEM_RAM, type AddressRange } from '../../../src/tools/iomem.ts';
import type { Region } from '../../../src/tools/memmap.ts';
import { fixture } from '../../fixtures/fixture.ts';

const GIB = 2 ** 30;
const MIB = 2 ** 20;
const PLAIN = parseIomem(fixture('iomem/6G.txt'));
const SET_UP = parseIomem(fixture('iomem/6G-1G!5888M.txt'));

test('the region is near the end of memory, with room above it for the kernel that is loaded', () => {
  expect(chooseRegion(GIB, PLAIN, [])).toEqual({ ok: true, value: { start: 5888 * MIB, size: GIB } });
});

test('what is asked for is rounded up to what the driver can map', () => {
  expect(chooseRegion(GIB + 1, PLAIN, [])).toMatchObject({ value: { size: GIB + ALIGNMENT } });
});

test('more than the machine can give is refused, with the most that it can', () => {
  expect(chooseRegion(4 * GIB, PLAIN, [])).toEqual({ ok: false, failure: { reason: 'ram-store-too-large', askedBytes: 4 * GIB, mostBytes: 2816 * MIB } });
});

test('a machine without memory above 4 GiB has none to give', () => {
  const small = PLAIN.filter(({ end }) => end <= 4 * GIB);
  expect(chooseRegion(LEAST, small, [])).toMatchObject({ failure: { reason: 'ram-store-too-large', mostBytes: 0 } });
});

test('where the region is set up already it stays, and can grow into the memory around it', () => {
  const today = { start: 5888 * MIB, size: GIB };
  expect(chooseRegion(GIB, SET_UP, [today])).toEqual({ ok: true, value: today });
  expect(chooseRegion(2 * GIB, SET_UP, [today])).toEqual({ ok: true, value: { start: 4864 * MIB, size: 2 * GIB } });
  expect(chooseRegion(LEAST, SET_UP, [{ start: 4 * GIB, size: LEAST }])).toEqual({ ok: true, value: { start: 4 * GIB, size: LEAST } });
});

test('memory that somebody else has set aside is not touched', () => {
  expect(chooseRegion(GIB, SET_UP, [])).toEqual({ ok: true, value: { start: 4608 * MIB, size: GIB } });
});

test('whatever memory there is, a region is aligned, inside one range of it, above 4 GiB, and at most half of it', () => {
  const range = fc.record({ start: fc.nat(64 * 1024), mebibytes: fc.integer({ min: 1, max: 16 * 1024 }), what: fc.constantFrom(SYSTEM_RAM, SYSTEM_RAM, LEGACY_PMEM, 'Reserved') });
  fc.assert(
    fc.property(fc.array(range, { maxLength: 6 }), fc.integer({ min: LEAST, max: 16 * GIB }), (raw, size) => {
      let at = 0;
      const ranges: AddressRange[] = raw.map(({ start, mebibytes, what }) => {
        const from = at + start * MIB;
        at = from + mebibytes * MIB;
        return { start: from, end: at, what };
      });
      const chosen = chooseRegion(size, ranges, []);
      if (!chosen.ok) return;
      const region: Region = chosen.value;
      const end = region.start + region.size;
      expect([region.start % ALIGNMENT, region.size % ALIGNMENT]).toEqual([0, 0]);
      expect(region.size).toBeGreaterThanOrEqual(size);
      expect(region.start).toBeGreaterThanOrEqual(4 * GIB);
      // Ranges that touch each other are one.
      for (let place = region.start; place < end; place += ALIGNMENT) expect(ranges.some((each) => each.what === SYSTEM_RAM && each.start <= place && place < each.end)).toBe(true);
      expect(region.size * 2).toBeLessThanOrEqual(ranges.filter(({ what }) => what === SYSTEM_RAM).reduce((sum, each) => sum + each.end - each.start, 0));
    }),
  );
});
