import { chmodSync, chownSync, lchownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exposedFolder } from '../../../src/survey/machine.ts';
import { isRoot } from '../boot/private-machine.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync('/var/lib/segue-test-');
  mkdirSync(join(folder, 'a/b'), { recursive: true, mode: 0o755 });
});
afterEach(() => { rmSync(folder, { recursive: true }); });

test.runIf(isRoot)('a store that only root can reach is not exposed', async () => {
  expect(await exposedFolder(join(folder, 'a/b'))).toBeUndefined();
});

test.runIf(isRoot)('a store below a folder that others write to is, though they may not remove it there', async () => {
  chmodSync(join(folder, 'a'), 0o1777);
  expect(await exposedFolder(join(folder, 'a/b'))).toBe(join(folder, 'a'));
});

test.runIf(isRoot)("a store of somebody else's is, and one below such a folder", async () => {
  chownSync(join(folder, 'a'), 65534, 65534);
  expect(await exposedFolder(join(folder, 'a'))).toBe(join(folder, 'a'));
  expect(await exposedFolder(join(folder, 'a/b'))).toBe(join(folder, 'a'));
});

test.runIf(isRoot)("a store behind a link of root's is what the link leads to", async () => {
  symlinkSync('a', join(folder, 'link'));
  expect(await exposedFolder(join(folder, 'link/b'))).toBeUndefined();
  chmodSync(join(folder, 'a'), 0o777);
  expect(await exposedFolder(join(folder, 'link/b'))).toBe(join(folder, 'a'));
});

test.runIf(isRoot)("one behind a link of somebody else's, or where others could put another, is exposed", async () => {
  symlinkSync('a', join(folder, 'link'));
  lchownSync(join(folder, 'link'), 65534, 65534);
  expect(await exposedFolder(join(folder, 'link/b'))).toBe(join(folder, 'link'));
  mkdirSync(join(folder, 'open'));
  chmodSync(join(folder, 'open'), 0o1777);
  symlinkSync('../a', join(folder, 'open/link'));
  expect(await exposedFolder(join(folder, 'open/link/b'))).toBe(join(folder, 'open'));
});

test.runIf(isRoot)('links that lead in a circle lead nowhere', async () => {
  symlinkSync('two', join(folder, 'one'));
  symlinkSync('one', join(folder, 'two'));
  expect(await exposedFolder(join(folder, 'one/b'))).toMatch(/\/(one|two)$/);
});
