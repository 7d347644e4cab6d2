import { existsSync, readdirSync, rmdirSync, rmSync, writeFileSync, mkdirSync, readFileSync, mkdtempSync } from 'node:fs';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { lockUpgrade, runningUpgrade } from '../../../src/upgrade/lock.ts';
import { Program } from '../cli/program.ts';
import { PARKING, toText } from '../report/journals.ts';

// The lock is where it always is: only root can make it, and only where no upgrade is under way.
const FOLDER = '/run/segue';
const FILE = `${FOLDER}/upgrade.lock`;
const usable = process.getuid?.() === 0 && !existsSync(FILE);
const asRoot = test.runIf(usable);
const made = usable && !existsSync(FOLDER);

/** A process that has ended: its id is free, or somebody else's. */
const ENDED = spawnSync('true').pid;

let segue: Program;
let store: string;
beforeAll(async () => {
  segue = await Program.build();
  store = mkdtempSync(join(tmpdir(), 'segue-store-'));
  mkdirSync(join(store, 'upgrades/20260101-100000'), { recursive: true });
  writeFileSync(join(store, 'upgrades/20260101-100000/journal.ndjson'), toText(PARKING));
});
afterEach(() => {
  if (usable) rmSync(FILE, { force: true });
});
afterAll(async () => {
  if (made && existsSync(FOLDER) && readdirSync(FOLDER).length === 0) rmdirSync(FOLDER);
  rmSync(store, { recursive: true });
  await segue[Symbol.asyncDispose]();
});

function leave(content: string): void {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(FILE, content);
}

asRoot('one upgrade runs at a time, and a second one is told which', () => {
  const first = lockUpgrade();
  expect(first.ok).toBe(true);
  expect(lockUpgrade()).toEqual({ ok: false, failure: { reason: 'upgrade-running', pid: process.pid } });
  expect(runningUpgrade()).toBe(process.pid);
});

asRoot('after the end of an upgrade there can be another one', () => {
  const first = lockUpgrade();
  if (first.ok) first.value.release();
  expect(existsSync(FILE)).toBe(false);
  expect(runningUpgrade()).toBeUndefined();
  expect(lockUpgrade().ok).toBe(true);
});

asRoot('the guard of a killed upgrade keeps the next one waiting until all is undone', async () => {
  leave(`${ENDED} 12345\n`);
  const guard = spawn(process.execPath, [segue.path, 'guard'], { stdio: ['pipe', 'ignore', 'inherit'] });
  await vi.waitFor(() => { expect(runningUpgrade()).toBe(guard.pid); }, 10_000);
  expect(lockUpgrade()).toEqual({ ok: false, failure: { reason: 'upgrade-running', pid: guard.pid } });
  guard.stdin.end();
  await once(guard, 'exit');
  expect(lockUpgrade().ok).toBe(true);
});

asRoot.each([
  ['has ended', () => `${ENDED} 12345`],
  ['has left its id to another one', () => `${process.pid} 1`],
  ['was killed while it wrote', () => ''],
  ['wrote nonsense', () => 'nonsense'],
])('the lock of a process that %s does not count', (_, content) => {
  leave(content());
  expect(runningUpgrade()).toBeUndefined();
  expect(lockUpgrade().ok).toBe(true);
  expect(readFileSync(FILE, 'utf8')).toMatch(new RegExp(`^${process.pid} \\d+\n$`));
});

asRoot('whatever else is in the lock, who holds it is found, and nobody else', () => {
  const own = lockUpgrade();
  expect(own.ok).toBe(true);
  const line = readFileSync(FILE, 'utf8').trim();
  const strange = fc.oneof(fc.constantFrom('0 0', '-1 5', 'NaN', 'Infinity 1', '1e0 1', `${ENDED} 7`, '0x1 1', ' ', `${line} `, ` ${line}`, `0${line}`), fc.string({ unit: 'binary', maxLength: 12 }));
  fc.assert(
    fc.property(fc.array(strange.map((text) => text.replaceAll('\n', '')).filter((text) => text !== line)), fc.option(fc.nat()), (lines, at) => {
      leave(`${(at === null ? lines : lines.toSpliced(at % (lines.length + 1), 0, line)).join('\n')}\n`);
      expect(runningUpgrade()).toBe(at === null ? undefined : process.pid);
    }),
    { numRuns: 40 },
  );
});

asRoot('an upgrade whose process is gone before the jump is told as such, and needs a look', () => {
  const { stdout, exitCode } = segue.run(['status', '--store', store]);
  expect(stdout).toContain('its process ended before the jump');
  expect(exitCode).toBe(14);
});

asRoot('an upgrade whose process runs is under way', () => {
  expect(lockUpgrade().ok).toBe(true);
  const { stdout, exitCode } = segue.run(['status', '--store', store]);
  expect(stdout).toContain('is parking the workloads');
  expect(exitCode).toBe(0);
});
