import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readRegion, regionsOn, regionWords, spellBytes, spellRegion, withoutRegions, type Region } from '../../../src/tools/memmap.ts';
import { endless } from '../damaged.ts';

const anyRegion: fc.Arbitrary<Region> = fc.record({ start: fc.nat(2 ** 20).map((pages) => pages * 4096), size: fc.integer({ min: 1, max: 2 ** 20 }).map((pages) => pages * 4096) });

test('a region is spelled as the kernel reads it', () => {
  expect(spellRegion({ start: 4 * 2 ** 30, size: 2 ** 30 })).toBe('1G!4G');
  expect(spellRegion({ start: 5888 * 2 ** 20, size: 768 * 2 ** 20 })).toBe('768M!5888M');
  expect(spellBytes(4097)).toBe('4097');
});

test('what was spelled is read again, whatever it is', () => {
  fc.assert(fc.property(anyRegion, (region) => { expect(readRegion(spellRegion(region))).toEqual(region); }));
});

test.each(['', '1G', '1G@4G', '1G$4G', '0!4G', '-1G!4G', '1G!4G,2G!8G', '1T!4G', '9999999999999G!1', '1G! 4G'])('%j is no region', (text) => {
  expect(readRegion(text)).toBeUndefined();
});

test('whatever the text, what is read is a region that can be addressed', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^\d{1,14}[KMG]?!\d{1,14}[KMG]?$/)), (text) => {
      const region = readRegion(text);
      if (region === undefined) return;
      expect(region.size).toBeGreaterThan(0);
      expect(Number.isSafeInteger(region.start + region.size)).toBe(true);
    }),
  );
  for (const text of endless('1', 'G', '!')) expect(readRegion(text)).toBeUndefined();
});

test('on a command line only regions that are marked are Segue\'s', () => {
  const words = ['ro', 'memmap=2G!8G', ...regionWords({ start: 4 * 2 ** 30, size: 2 ** 30 }), 'quiet'];
  expect(words.slice(2, 4)).toEqual(['memmap=1G!4G', 'segue.ram=1G!4G']);
  expect(regionsOn(words)).toEqual([{ start: 4 * 2 ** 30, size: 2 ** 30 }]);
  expect(withoutRegions(words)).toEqual(['ro', 'memmap=2G!8G', 'quiet']);
});

test('taken off a command line, nothing of a region is left there, and all else stays', () => {
  const word = fc.constantFrom('ro', 'quiet', 'memmap=64K$0x18690000', 'memmap=2G!8G', 'a="memmap=1G!4G"', 'xmemmap=1G!4G');
  fc.assert(
    fc.property(fc.array(word), fc.array(anyRegion, { maxLength: 2 }), fc.boolean(), (others, regions, marked) => {
      const words = [...others, ...regions.flatMap((region) => (marked ? regionWords(region) : regionWords(region).slice(0, 1)))];
      expect(withoutRegions(words, marked ? [] : regions)).toEqual(others);
    }),
  );
});
