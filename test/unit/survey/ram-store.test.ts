import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { configurationOf, configuredRegion, judge, readConfiguration } from '../../../src/survey/ram-store.ts';
import { parseIomem } from '../../../src/tools/iomem.ts';
import { fixture } from '../../fixtures/fixture.ts';
import { damaged } from '../damaged.ts';

const REGION = { start: 5888 * 2 ** 20, size: 2 ** 30 };
const PLAIN = parseIomem(fixture('iomem/6G.txt'));
const SET_UP = parseIomem(fixture('iomem/6G-1G!5888M.txt'));
const TOLD = 'root=/dev/vda ro memmap=1G!5888M segue.ram=1G!5888M\n';

test('what setup writes is read again', async () => {
  expect(readConfiguration(configurationOf(REGION))).toEqual(REGION);
  const folder = mkdtempSync(join(tmpdir(), 'segue-ram-'));
  writeFileSync(join(folder, 'ram-store'), configurationOf(REGION));
  expect(await configuredRegion(join(folder, 'ram-store'))).toEqual(REGION);
  expect(await configuredRegion(join(folder, 'nowhere'))).toBeUndefined();
  rmSync(folder, { recursive: true });
});

test('what was damaged is that region, or none that could be taken for it', () => {
  expect(readConfiguration('1G!4G\n2G!8G\n')).toBeUndefined();
  fc.assert(fc.property(damaged(configurationOf(REGION)), (text) => { expect(readConfiguration(text)?.size ?? 1).toBeGreaterThan(0); }));
});

test('a kernel that was told of the region, and has it, is ready', () => {
  expect(judge(REGION, TOLD, SET_UP)).toEqual({ kind: 'ready', region: REGION });
  expect(judge(REGION, 'memmap=1G!5888M', SET_UP)).toEqual({ kind: 'ready', region: REGION });
});

test('one that was not told of it will be', () => {
  expect(judge(REGION, 'root=/dev/vda ro', PLAIN)).toEqual({ kind: 'to-come', region: REGION });
  expect(judge(REGION, 'memmap=2G!4864M segue.ram=2G!4864M', SET_UP)).toEqual({ kind: 'to-come', region: REGION });
});

test('one that was told of it and does not have it, whole, is bad', () => {
  expect(judge(REGION, TOLD, PLAIN)).toMatchObject({ kind: 'bad', why: expect.stringContaining('there is System RAM') as string });
  const cut = SET_UP.map((range) => (range.start === REGION.start ? { ...range, start: range.start + 2 ** 21 } : range));
  expect(judge(REGION, TOLD, cut)).toMatchObject({ kind: 'bad', why: expect.stringContaining('does not have it in one piece') as string });
  expect(judge(REGION, TOLD, [])).toMatchObject({ kind: 'bad', why: expect.stringContaining('no memory at all') as string });
});
