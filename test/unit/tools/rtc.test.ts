import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { aheadOfMachine } from '../../../src/tools/rtc.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'segue-rtc-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

test('where a clock has no second that begins, or there is none, nothing is said', async () => {
  const path = join(folder, 'since_epoch');
  writeFileSync(path, '1796100000\n');
  expect(await aheadOfMachine(path)).toBeUndefined();
  expect(await aheadOfMachine(join(folder, 'none'))).toBeUndefined();
});

test('it counts from where a second of the machine begins', async () => {
  const path = join(folder, 'since_epoch');
  let second = 1796100000;
  writeFileSync(path, second.toString());
  const offsets: number[] = [];
  const ticking = setInterval(() => {
    second += 1;
    offsets.push(Date.now() - second * 1000);
    writeFileSync(path, `${second.toString()}\n`);
  }, 150);
  const ahead = await aheadOfMachine(path);
  clearInterval(ticking);
  const [late = NaN] = offsets.map((offset) => (ahead ?? NaN) - offset).filter((each) => each >= 0 && each < 1000);
  expect(late).toBeLessThan(60);
});
