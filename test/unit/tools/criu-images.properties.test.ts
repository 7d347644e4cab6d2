import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DamagedImage, dumpStatistics, editMessage, leaveUserNamespace, readMessages, runId, writeMessages } from '../../../src/tools/criu-images.ts';
import { fixtureFolder } from '../../fixtures/fixture.ts';
import { damagedBytes } from '../damaged.ts';

const REAL = fixtureFolder('criu/redis-server');
const images = new Map(readdirSync(REAL).map((name) => [name, readFileSync(join(REAL, name))]));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'segue-images-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** What is thrown, if anything, is a DamagedImage. */
function orDamaged<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    expect(error).toBeInstanceOf(DamagedImage);
    return undefined;
  }
}

async function orDamagedLater<T>(work: Promise<T>): Promise<T | DamagedImage> {
  try {
    return await work;
  } catch (error) {
    expect(error).toBeInstanceOf(DamagedImage);
    return error as DamagedImage;
  }
}

type Field = readonly [number: number, wire: WireType, value: number | Uint8Array];

const plain: fc.Arbitrary<Field> = fc.tuple(fc.integer({ min: 1, max: 2 ** 29 - 1 }), fc.oneof(
  fc.nat(2 ** 31).map((value) => [WireType.Varint, value] as const),
  fc.uint8Array({ maxLength: 20 }).map((value) => [WireType.LengthDelimited, value] as const),
  fc.uint8Array({ minLength: 4, maxLength: 4 }).map((value) => [WireType.Bit32, value] as const),
  fc.uint8Array({ minLength: 8, maxLength: 8 }).map((value) => [WireType.Bit64, value] as const),
)).map(([number, [wire, value]]) => [number, wire, value]);

function written(fields: readonly Field[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const [number, wire, value] of fields) {
    writer.tag(number, wire);
    if (typeof value === 'number') writer.uint32(value);
    else if (wire === WireType.LengthDelimited) writer.bytes(value);
    else writer.raw(value);
  }
  return writer.finish();
}

test('an edit changes what it names, however often it is there, and nothing else', () => {
  const NAMED = 7;
  const named: fc.Arbitrary<Field> = fc.nat(2 ** 31).map((value) => [NAMED, WireType.Varint, value]);
  fc.assert(
    fc.property(fc.array(fc.oneof(named, plain.filter(([number]) => number !== NAMED)), { maxLength: 12 }), fc.nat(2 ** 31), (fields, value) => {
      const edited = editMessage(written(fields), { [NAMED]: { varint: value } });
      expect([...edited]).toEqual([...written(fields.map((field) => (field[0] === NAMED ? [NAMED, WireType.Varint, value] : field)))]);
      expect([...editMessage(edited, { [NAMED]: { varint: value } })]).toEqual([...edited]);
    }),
  );
});

test('a list of numbers of any size becomes as many zeros', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(2 ** 31), { maxLength: 20 }), (numbers) => {
      const packed = new BinaryWriter();
      for (const number of numbers) packed.uint32(number);
      const edited = editMessage(written([[9, WireType.LengthDelimited, packed.finish()]]), { 9: { zeros: true } });
      const reader = new BinaryReader(edited);
      expect(reader.tag()).toEqual([9, WireType.LengthDelimited]);
      expect([...reader.bytes()]).toEqual(numbers.map(() => 0));
    }),
  );
});

const names = [...images.keys()];

test('of a damaged image messages are read that lie in it one after the other, or it is damaged', () => {
  fc.assert(
    fc.property(fc.constantFrom(...names).chain((name) => damagedBytes(images.get(name)!)), (image) => {
      const messages = orDamaged(() => readMessages(image));
      if (messages === undefined) return;
      expect(writeMessages(image, messages).equals(image)).toBe(true);
      for (const message of messages) orDamaged(() => editMessage(message, { 5: { message: { 10: { message: { 9: { zeros: true } } } } }, 10: { varint: 1 } }));
    }),
  );
});

test('any bytes are an image, or a damaged one', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const messages = orDamaged(() => readMessages(Buffer.from(bytes)));
      if (messages !== undefined) expect([...writeMessages(Buffer.from(bytes), messages)]).toEqual([...bytes]);
      orDamaged(() => editMessage(bytes, { 1: { varint: 1 }, 2: { message: { 1: { zeros: true } } }, 3: { zeros: true } }));
    }),
  );
});

test('images of which one is damaged are rewritten as if they were whole, or that one is named', async () => {
  const WHOLE = ['inventory.img', 'ids-354.img', 'core-354.img', 'core-419.img'] as const;
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...WHOLE).chain((name) => damagedBytes(images.get(name)!).map((bytes) => ({ name, bytes }))), async ({ name, bytes }) => {
      for (const each of WHOLE) writeFileSync(join(folder, each), each === name ? bytes : images.get(each)!);
      for (const result of [await orDamagedLater(leaveUserNamespace(folder)), await orDamagedLater(runId(folder))]) {
        if (result instanceof DamagedImage) expect(result.message).toMatch(new RegExp(`^${join(folder, name).replaceAll('.', '\\.')} is damaged: .`));
      }
    }),
    { numRuns: 60 },
  );
});

test('statistics are numbers, or damaged', async () => {
  const statistics = written([[1, WireType.LengthDelimited, written([[2, WireType.Varint, 5000], [6, WireType.Varint, 7], [7, WireType.Varint, 9]])]]);
  const image = writeMessages(Buffer.from([0x40, 0x59, 0x10, 0x55, 1, 2, 3, 4]), [statistics]);
  writeFileSync(join(folder, 'stats-dump'), image);
  expect(await dumpStatistics(folder)).toEqual({ writtenBytes: 9 * 4096, earlierBytes: 7 * 4096, heldMs: 5 });
  await fc.assert(
    fc.asyncProperty(damagedBytes(image), async (bytes) => {
      writeFileSync(join(folder, 'stats-dump'), bytes);
      const result = await orDamagedLater(dumpStatistics(folder));
      if (!(result instanceof DamagedImage)) for (const each of Object.values(result) as number[]) expect(Number.isSafeInteger(each) && each >= 0).toBe(true);
    }),
    { numRuns: 60 },
  );
});
