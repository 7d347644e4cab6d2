import fc from 'fast-check';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { capacityOf, deviceOf, noteOf, parseContent, readNote, type RamPlace } from '../../../src/tools/pmem.ts';

const GIB = 2 ** 30;
const REGION = { start: 0x1_7000_0000, size: GIB };
const PLACE: RamPlace = { id: '20260101-100000', region: REGION, folder: '/store/handover', note: '/store/ram', wayBack: 'restore' };

let sys: string;
beforeEach(() => { sys = mkdtempSync(join(tmpdir(), 'segue-pmem-')); mkdirSync(join(sys, 'block')); });
afterEach(() => { rmSync(sys, { recursive: true }); });

/** As a guest shows it: /sys/block/pmem0/device leads to /sys/devices/platform/e820_pmem/ndbus0/region0/namespace0.0. */
function device(name: string, bus: string, provider: string, resource: string, size: number): void {
  const namespace = join(sys, `devices/${bus}/region0/namespace-of-${name}`);
  for (const folder of [namespace, join(sys, 'bus/nd/devices', bus), join(sys, 'block', name)]) mkdirSync(folder, { recursive: true });
  writeFileSync(join(sys, 'bus/nd/devices', bus, 'provider'), `${provider}\n`);
  writeFileSync(join(namespace, 'resource'), `${resource}\n`);
  writeFileSync(join(namespace, 'size'), `${size}\n`);
  symlinkSync(namespace, join(sys, 'block', name, 'device'));
}

test('the device of the region is found by its address, whatever its name', () => {
  device('pmem0', 'ndbus0', 'e820', '0x240000000', GIB);
  device('pmem1', 'ndbus1', 'e820', '0x170000000', GIB);
  expect(deviceOf(REGION, sys)).toBe('pmem1');
});

test('one that was cut, is elsewhere, or is a real NVDIMM is not it', () => {
  device('pmem0', 'ndbus0', 'e820', '0x170000000', GIB - 2 ** 21);
  device('pmem1', 'ndbus1', 'e820', '0x170200000', GIB);
  device('pmem2', 'ndbus2', 'ACPI.NFIT', '0x170000000', GIB);
  expect(deviceOf(REGION, sys)).toBeUndefined();
  expect(deviceOf(REGION, '/nowhere')).toBeUndefined();
});

test('the note is spelled as sysfs spells the region, and is read again', () => {
  expect(noteOf(PLACE)).toBe('0x170000000 1073741824 restore\n');
  fc.assert(
    fc.property(fc.nat(2 ** 30), fc.integer({ min: 1, max: 2 ** 30 }), fc.constantFrom('restore' as const, 'afresh' as const), (start, size, wayBack) => {
      const place: RamPlace = { ...PLACE, region: { start: start * 4096, size: size * 4096 }, wayBack };
      expect(readNote(noteOf(place), PLACE)).toEqual(place);
    }),
  );
});

test('half a note is none', () => {
  for (let length = 0; length < noteOf(PLACE).length; length += 1) expect(readNote(noteOf(PLACE).slice(0, length), PLACE)).toBeUndefined();
});

test('what blkid says tells whose it is', () => {
  const printed = (label: string, type: string): string => `DEVNAME=/dev/pmem0\nLABEL=${label}\nUUID=36fd7103-19ed-4838-8c4c-014646f53543\nVERSION=1.0\nBLOCK_SIZE=4096\nTYPE=${type}\nUSAGE=filesystem\n`;
  expect(parseContent(printed('20260101-100000', 'ext4'))).toEqual({ kind: 'upgrade', id: '20260101-100000' });
  expect(parseContent(printed('data', 'ext4'))).toEqual({ kind: 'foreign', what: 'ext4' });
  expect(parseContent(printed('20260101-100000', 'xfs'))).toEqual({ kind: 'foreign', what: 'xfs' });
  expect(parseContent('DEVNAME=/dev/pmem0\nPTUUID=1\nPTTYPE=gpt\n')).toEqual({ kind: 'foreign', what: 'gpt' });
  expect(parseContent('')).toEqual({ kind: 'nothing' });
});

test('the filesystem takes something for itself', () => {
  expect(capacityOf(REGION)).toBeLessThan(GIB - 50 * 2 ** 20);
  expect(capacityOf(REGION)).toBeGreaterThan(0.9 * GIB);
});
