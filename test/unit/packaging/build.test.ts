import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { build } from '../../../scripts/build.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segue-build-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function bundle(source: string): Promise<string> {
  const entry = join(folder, 'entry.ts');
  await writeFile(entry, source);
  return build({ entry, outfile: join(folder, 'out/program.mjs') });
}

test('the bundle is an executable of its own that knows the version of the package', async () => {
  const program = await bundle('declare const SEGUE_VERSION: string;\nconsole.log(SEGUE_VERSION);\n');

  const { version } = JSON.parse(await readFile('package.json', 'utf8')) as { version: string };
  expect((await execa(process.execPath, [program])).stdout).toBe(version);
  expect((await stat(program)).mode & 0o777).toBe(0o755);
});

test('an interpreter line of the entry gives way to that of the installed program', async () => {
  const program = await bundle('#!/usr/bin/env -S tsx\nconsole.log("hello");\n');

  const text = await readFile(program, 'utf8');
  expect(text.match(/^#!.*/gm)).toEqual(['#!/usr/bin/node']);
});

test('a CommonJS package in the bundle can still ask for the modules of Node', async () => {
  await writeFile(join(folder, 'old.cjs'), "exports.separator = require('path').sep;\n");
  const program = await bundle("import { separator } from './old.cjs';\nconsole.log(separator);\n");

  expect((await execa(process.execPath, [program])).stdout).toBe('/');
});

test('a bundle without CommonJS has no require', async () => {
  const program = await bundle("import { sep } from 'node:path';\nconsole.log(sep);\n");

  expect(await readFile(program, 'utf8')).not.toContain('createRequire');
});
