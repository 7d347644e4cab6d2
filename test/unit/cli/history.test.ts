import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { JournalEvent } from '../../../src/store/journal.ts';
import { ARRIVED, BACK, COMING_BACK, GIVEN_UP, GIVEN_UP_IN_PART, LOST, ONE_AFRESH, ONE_FAILED, REFUSED, SETTLED, toText } from '../report/journals.ts';
import { Program, type Ended } from './program.ts';

let segue: Program;
let store: string;
beforeAll(async () => {
  segue = await Program.build();
});
afterAll(async () => {
  await segue[Symbol.asyncDispose]();
});
beforeEach(() => {
  store = mkdtempSync(join(tmpdir(), 'segue-store-'));
});
afterEach(() => {
  rmSync(store, { recursive: true });
});

const journal = (id: string): string => join(store, 'upgrades', id, 'journal.ndjson');

function prepare(id: string, events: readonly JournalEvent[]): void {
  mkdirSync(join(store, 'upgrades', id), { recursive: true });
  writeFileSync(journal(id), toText(events));
}

const run = (...args: string[]): Ended => segue.run([...args, '--store', store]);

test('without any upgrade that is said, and is no failure', () => {
  for (const command of ['status', 'history']) expect(run(command)).toEqual({ stdout: 'There was no upgrade so far.\n', stderr: '', exitCode: 0 });
  expect(JSON.parse(run('status', '--json').stdout)).toEqual({ schemaVersion: 1, state: 'none' });
  expect(JSON.parse(run('history', '--json').stdout)).toEqual({ schemaVersion: 1, upgrades: [] });
});

test('the history is a table of all upgrades, oldest first', () => {
  prepare('20260301-100000', ONE_FAILED);
  prepare('20260101-100000', SETTLED);
  prepare('20260201-100000', GIVEN_UP);
  expect(run('history')).toEqual({
    stdout: [
      'ID               FROM    TO     STATE     CARRIED  LONGEST PAUSE',
      '20260101-100000  6.12.1  7.3.4  settled   2 of 3   8.0 s',
      '20260201-100000  6.12.1  7.3.4  given-up  0 of 3   -',
      '20260301-100000  6.12.1  7.3.4  settled   1 of 3   7.5 s',
      '',
    ].join('\n'),
    stderr: '',
    exitCode: 0,
  });
});

test('an upgrade is told by workload and phase', () => {
  prepare('20260101-100000', ONE_AFRESH);
  const { stdout, stderr, exitCode } = run('show', '20260101-100000');
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 12 });
  expect(stdout).toMatchSnapshot();
});

test('as JSON it is the report, with the same exit code', () => {
  prepare('20260101-100000', ONE_AFRESH);
  const { stdout, exitCode } = run('show', '20260101-100000', '--json');
  expect(exitCode).toBe(12);
  expect(JSON.parse(stdout)).toMatchSnapshot();
});

test.each([
  ['settled', SETTLED, 0],
  ['started one service afresh', ONE_AFRESH, 12],
  ['arrived and refused its hand-over', REFUSED, 12],
  ['was given up', GIVEN_UP, 1],
  ['was given up in part', GIVEN_UP_IN_PART, 14],
  ['lost a service', ONE_FAILED, 14],
  ['came back', BACK, 13],
] as const)('the exit code tells that an upgrade %s', (_, events, exitCode) => {
  prepare('20260101-100000', events);
  expect(run('show', '20260101-100000').exitCode).toBe(exitCode);
  expect(run('status').exitCode).toBe(exitCode);
});

test.each([
  [COMING_BACK, 'did not get there; the machine is back on Linux 6.12.1 and restores the workloads'],
  [BACK, 'did not get there; the machine came back to Linux 6.12.1'],
  [LOST, 'did not get there; the machine came back to Linux 6.12.1 (the way back was tried before)'],
] as const)('the status says where the machine came back to', (events, words) => {
  prepare('20260101-100000', events);
  expect(run('status').stdout.split('\n')[0]).toBe(`Upgrade 20260101-100000, Linux 6.12.1 → 7.3.4: ${words}`);
});

test('the status is that of the newest upgrade', () => {
  prepare('20260101-100000', GIVEN_UP);
  prepare('20260102-100000', SETTLED);
  expect(run('status').stdout).toMatch(/^Upgrade 20260102-100000, Linux 6\.12\.1 → 7\.3\.4: is settled\n/);
});

test('an upgrade that never was cannot be shown, nor can another file', () => {
  prepare('20260101-100000', SETTLED);
  for (const id of ['20250101-000000', '../upgrades/20260101-100000']) {
    const { stdout, stderr, exitCode } = run('show', id);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 2 });
    expect(stderr).toBe(`error: there was no upgrade ${id}\nhint: \`segue history\` lists them\n`);
  }
});

test('a torn last line is no obstacle', () => {
  prepare('20260101-100000', SETTLED);
  appendFileSync(journal('20260101-100000'), '{"at":"2026-01-01T10:');
  expect(run('status')).toMatchObject({ exitCode: 0, stderr: '' });
});

test('segue status --wait waits for the end of the upgrade, and has its exit code', async () => {
  prepare('20260101-100000', ARRIVED);
  const child = spawn(process.execPath, [segue.path, 'status', '--wait', '--store', store], { stdio: ['ignore', 'pipe', 'inherit'] });
  let stdout = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));

  await sleep(1000);
  expect({ running: child.exitCode === null, stdout }).toEqual({ running: true, stdout: '' });
  appendFileSync(journal('20260101-100000'), toText(ONE_AFRESH.slice(ARRIVED.length)));
  expect(await ended).toBe(12);
  expect(stdout).toContain('is settled');
});
