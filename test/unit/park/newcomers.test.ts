import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { awaitNewcomers } from '../../../src/park/newcomers.ts';

let slice: string;
beforeEach(() => { slice = mkdtempSync(join(tmpdir(), 'segue-slice-')); });
afterEach(() => { rmSync(slice, { recursive: true }); });

function unit(path: string, populated: '0' | '1'): void {
  mkdirSync(join(slice, path), { recursive: true });
  writeFileSync(join(slice, path, 'cgroup.events'), `populated ${populated}\nfrozen 0\n`);
}
const began = (unit: string) => ({ ok: false, failure: { reason: 'unit-began', unit } });

test('a unit that was not there when it was planned is told, also one in a slice of its own', async () => {
  unit('system.slice/known.service', '1');
  expect(await awaitNewcomers(['known.service'], 0, slice)).toEqual({ ok: true, value: undefined });
  unit('app.slice/app-web.slice/backup.service', '1');
  expect(await awaitNewcomers(['known.service'], 0, slice)).toEqual(began('backup.service'));
});

test('what is started afresh in any case, a login, and what has ended are nobody', async () => {
  unit('system.slice/systemd-hostnamed.service', '1');
  unit('system.slice/segue-snapshot-1.service', '1');
  unit('system.slice/backup.service', '0');
  unit('user.slice/user-0.slice/session-3.scope', '1');
  expect(await awaitNewcomers([], 0, slice)).toEqual({ ok: true, value: undefined });
});

test('a name that is one of the kernel\'s own files has a letter before it', async () => {
  unit('system.slice/_memory.service', '1');
  expect(await awaitNewcomers(['memory.service'], 0, slice)).toEqual({ ok: true, value: undefined });
  expect(await awaitNewcomers([], 0, slice)).toEqual(began('memory.service'));
});

test('a slice that is removed meanwhile has nobody in it', async () => {
  expect(await awaitNewcomers([], 0, join(slice, 'system.slice'))).toEqual({ ok: true, value: undefined });
});

test('a job has time to end', async () => {
  unit('system.slice/backup.service', '1');
  const awaited = awaitNewcomers([], 60, slice);
  unit('system.slice/backup.service', '0');
  expect(await awaited).toEqual({ ok: true, value: undefined });
});
