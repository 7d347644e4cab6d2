import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DamagedImage, writeMessages } from '../../../src/tools/criu-images.ts';
import { pageIndex } from '../../../src/tools/page-index.ts';
import { damagedBytes } from '../damaged.ts';

const header = Buffer.from('194356541aa82460', 'hex');
const message = (...fields: readonly (readonly [number, number])[]): Uint8Array => {
  const writer = new BinaryWriter();
  for (const [number, value] of fields) writer.tag(number, WireType.Varint).uint64(value);
  return writer.finish();
};
const numbers = (index: Buffer): number[] => Array.from({ length: index.length / 8 }, (_, at) => Number(index.readBigUInt64LE(at * 8)));

const START = 0x7f12_3456_7000;
const pagemap = writeMessages(header, [
  message([1, 7]),
  message([1, 0x1000], [2, 2], [4, 4], [5, 2]),
  message([1, START], [2, 1], [3, 1], [4, 1], [5, 1]),
  message([1, START + 0x1000], [2, 3], [4, 6], [5, 3]),
  // As CRIU wrote them before it had flags, and has more pages than 32 bits say.
  message([1, START + 0x4000], [2, 1], [3, 1]),
  message([1, START + 0x5000], [2, 0], [4, 4], [5, 2 ** 32]),
  message([1, START + 0x1000_0000_5000], [2, 1]),
]);

test('an index says where each page of an image is', () => {
  expect(numbers(pageIndex(pagemap))).toEqual([
    0x1000, 0x3000, 4, 0,
    START, START + 0x1000, 1, 0x2000,
    START + 0x1000, START + 0x4000, 6, 0x2000,
    START + 0x4000, START + 0x5000, 1, 0x5000,
    START + 0x5000, START + 0x1000_0000_5000, 4, 0x5000,
    START + 0x1000_0000_5000, START + 0x1000_0000_6000, 4, 0x1000_0000_5000,
  ]);
});

test('what is no address of 64 bits is none of a page', () => {
  expect(() => pageIndex(writeMessages(header, [message([1, 7]), message([1, START], [2, 2 ** 53])]))).toThrow(DamagedImage);
});

test('a damaged pagemap has an index, or it is said that it is damaged', () => {
  fc.assert(fc.property(damagedBytes(pagemap), (bytes) => {
    try {
      expect(pageIndex(Buffer.from(bytes)).length % 32).toBe(0);
    } catch (error) {
      expect(error).toBeInstanceOf(DamagedImage);
    }
  }));
});
