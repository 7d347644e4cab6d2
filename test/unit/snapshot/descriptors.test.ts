import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { elfClass, mappedFiles } from '../../../src/snapshot/descriptors.ts';

let folder: string;
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'segue-descriptors-')); });
afterEach(() => { rmSync(folder, { recursive: true }); });

test('a program is of 64 bits by its header, of 32 likewise, and neither if it has none', () => {
  const file = (name: string, bytes: readonly number[]): string => {
    writeFileSync(join(folder, name), Buffer.from(bytes));
    return join(folder, name);
  };
  expect(elfClass('/proc/self/exe')).toBe(2);
  expect(elfClass(file('old', [0x7f, 0x45, 0x4c, 0x46, 1, 1]))).toBe(1);
  expect(elfClass(file('text', [0x23, 0x21, 0x2f, 0x62, 2]))).toBeUndefined();
  expect(elfClass(file('empty', []))).toBeUndefined();
});

test('the files that a process maps are named, its program among them', () => {
  expect(mappedFiles(process.pid, true)).toContain(process.execPath);
});
