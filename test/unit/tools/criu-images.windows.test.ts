import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DamagedImage, mendedStream, mendWindows } from '../../../src/tools/criu-images.ts';

/** As images/tcp-stream.proto numbers them: what was received so far, and the windows. */
interface Windows {
  readonly 2: number;
  readonly 13: number;
  readonly 14: number;
  readonly 15: number;
  readonly 16: number;
  readonly 17: number;
}

const QUEUES = Buffer.from('what is in the queues');

function image(windows: Partial<Windows>): Buffer {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Varint).uint32(QUEUES.length);
  for (const [number, value] of Object.entries(windows)) writer.tag(Number(number), WireType.Varint).uint32(value);
  // Of a newer CRIU.
  writer.tag(77, WireType.LengthDelimited).bytes(Buffer.from('unheard of'));
  const message = writer.finish();
  const header = Buffer.alloc(12);
  header.writeUInt32LE(0x54564319, 0);
  header.writeUInt32LE(0x51465506, 4);
  header.writeUInt32LE(message.length, 8);
  return Buffer.concat([header, message, QUEUES]);
}

function read(from: Buffer): Record<number, number> {
  const length = from.readUInt32LE(8);
  expect(from.subarray(12 + length)).toEqual(QUEUES);
  const reader = new BinaryReader(from.subarray(12, 12 + length));
  const values: Record<number, number> = {};
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    if (wire === WireType.Varint) values[number] = reader.uint32();
    else expect(Buffer.from(reader.bytes()).toString()).toBe('unheard of');
  }
  return values;
}

const WELL: Windows = { 2: 1000, 13: 990, 14: 500, 15: 700, 16: 4000, 17: 1000 };

test('windows that the kernel takes back stay as they are', () => {
  expect(mendedStream(image(WELL))).toBeUndefined();
  expect(mendedStream(image({ ...WELL, 13: 5000 }))).toBeUndefined();
  // Across the end of the numbers.
  expect(mendedStream(image({ ...WELL, 2: 2 ** 32 - 10, 13: 20, 16: 100, 17: 2 ** 32 - 10 }))).toBeUndefined();
  // An older kernel does not tell them.
  expect(mendedStream(image({ 2: 1000 }))).toBeUndefined();
});

test('a window that was closed below what had updated it is mended, and all else stays', () => {
  expect(read(mendedStream(image({ ...WELL, 13: 2460, 16: 0 }))!)).toEqual({ 1: QUEUES.length, ...WELL, 13: 1000, 16: 0 });
  expect(read(mendedStream(image({ ...WELL, 2: 2 ** 32 - 10, 13: 200, 16: 100, 17: 2 ** 32 - 10 }))!)).toMatchObject({ 13: 90 });
});

test('whatever the windows are, afterwards the kernel takes them', () => {
  const number = fc.oneof(fc.nat(5000), fc.integer({ min: 2 ** 32 - 5000, max: 2 ** 32 - 1 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
  const after = (one: number, other: number): boolean => ((one - other) | 0) > 0;
  fc.assert(
    fc.property(fc.record({ 2: number, 13: number, 14: number, 15: number, 16: number, 17: number }), (windows) => {
      const before = image(windows);
      const values = read(mendedStream(before) ?? before);
      // tcp_repair_set_window() in net/ipv4/tcp.c.
      expect(values[15]! < values[14]!).toBe(false);
      expect(after(values[13]!, (values[2]! + values[16]!) >>> 0)).toBe(false);
      expect(after(values[17]!, values[2]!)).toBe(false);
      for (const same of [2, 14, 16] as const) expect(values[same]).toBe(windows[same]);
    }),
  );
});

test('an image that ends early is told', () => {
  const whole = image(WELL);
  for (let length = 0; length < whole.length - QUEUES.length; length += 1) expect(() => mendedStream(whole.subarray(0, length))).toThrow(DamagedImage);
});

let folder: string;
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'segue-windows-')); });
afterEach(() => { rmSync(folder, { recursive: true }); });

test('of the images of a tree those of connections are looked at', async () => {
  writeFileSync(join(folder, 'tcp-stream-4b98.img'), image({ ...WELL, 13: 2460, 16: 0 }));
  writeFileSync(join(folder, 'tcp-stream-6a.img'), image(WELL));
  writeFileSync(join(folder, 'pages-1.img'), 'x');
  expect(await mendWindows(folder)).toBe(1);
  expect(read(readFileSync(join(folder, 'tcp-stream-4b98.img')))).toMatchObject({ 13: 1000 });
  expect(readFileSync(join(folder, 'tcp-stream-6a.img'))).toEqual(image(WELL));
});
