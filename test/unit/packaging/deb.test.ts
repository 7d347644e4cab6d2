import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { hashInputs, readInputs } from '../../../scripts/deb.js';

let tree: string;
beforeEach(async () => {
  tree = await mkdtemp(join(tmpdir(), 'segue-tree-'));
  for (const folder of ['src/cli', 'boot', 'dist', 'debian', 'man', 'scripts']) {
    await mkdir(join(tree, folder), { recursive: true });
  }
  for (const file of ['scripts/build.ts', 'package.json', 'package-lock.json', 'tsconfig.json', 'src/cli/main.ts']) {
    await writeFile(join(tree, file), file);
  }
  await writeFile(join(tree, 'boot/lock'), '#!/bin/sh\n', { mode: 0o755 });
});
afterEach(async () => {
  await rm(tree, { recursive: true });
});

async function hash(): Promise<string> {
  return hashInputs(await readInputs(tree));
}

test('the hash stays while no input changes, whatever else there is in the tree', async () => {
  const before = await hash();
  await writeFile(join(tree, 'README.md'), 'not in the package');
  expect(await hash()).toBe(before);
});

test.each([
  ['the content of a file', () => writeFile(join(tree, 'src/cli/main.ts'), 'other')],
  ['a new file', () => writeFile(join(tree, 'dist/new'), '')],
  ['a removed file', () => rm(join(tree, 'boot/lock'))],
  ['an executable bit', () => chmod(join(tree, 'boot/lock'), 0o644)],
  ['the lock file of the npm packages', () => writeFile(join(tree, 'package-lock.json'), 'other')],
])('the hash changes with %s', async (_, change) => {
  const before = await hash();
  await change();
  expect(await hash()).not.toBe(before);
});

test('the hash does not depend on modes that git does not record', async () => {
  const before = await hash();
  await chmod(join(tree, 'src/cli/main.ts'), 0o600);
  expect(await hash()).toBe(before);
});

test('a missing input is named', async () => {
  await rm(join(tree, 'man'), { recursive: true });
  await expect(hash()).rejects.toThrow('man is missing');
});
