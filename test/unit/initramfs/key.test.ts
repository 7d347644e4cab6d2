import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { keyScript, withKey } from '../../../src/initramfs/key.ts';
import { handoverPaths } from '../../../src/model/handover.ts';

const ID = '20260101-100000';

let folder: string;
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'segue-key-')); });
afterEach(() => { rmSync(folder, { recursive: true }); });

/** In a folder in place of that in memory. */
const run = (initramfs: string): { file: string; key: Buffer } => {
  const vault = { ...handoverPaths('/store', ID).vault, key: join(folder, `key-${ID}`) };
  const key = Buffer.from(Array.from({ length: 64 }, (_, index) => index * 3));
  writeFileSync(vault.key, key);
  execFileSync('sh', ['-eu'], { input: keyScript(vault, initramfs) });
  return { file: withKey(vault), key };
};

test('the key comes first, as an archive of its own that ends where the next may begin', () => {
  const initramfs = join(folder, 'initramfs.img');
  writeFileSync(initramfs, 'the next archive');
  const { file, key } = run(initramfs);
  const whole = readFileSync(file);
  const front = whole.subarray(0, whole.length - 'the next archive'.length);
  expect(whole.subarray(front.length).toString()).toBe('the next archive');
  expect(front.length % 512).toBe(0);
  const out = join(folder, 'out');
  execFileSync('sh', ['-euc', 'mkdir "$0" && cd "$0" && cpio --extract --quiet', out], { input: front });
  expect(readFileSync(join(out, `segue/key-${ID}`))).toEqual(key);
  expect(statSync(join(out, `segue/key-${ID}`)).mode & 0o777).toBe(0o600);
  execFileSync('sh', ['-n', join(out, 'conf/conf.d/segue')]);
});

test('nothing but the key and that is left, for root only', () => {
  const { file } = run('/dev/null');
  expect(readdirSync(folder).sort()).toEqual([`key-${ID}`, `key-${ID}.initramfs`]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('an initramfs that cannot be read is a failure', () => {
  expect(() => { run(join(folder, 'nowhere')); }).toThrow(/nowhere/);
});
