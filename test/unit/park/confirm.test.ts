import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { confirm } from '../../../src/park/confirm.ts';
import { markProven } from '../../../src/park/prove.ts';
import { noteSignals } from '../../../src/park/signals.ts';
import { parseStat } from '../../../src/survey/task.ts';

// In a container these are files like others; a cgroup is made by who has one.
const GROUP = `segue-test-${process.pid.toString()}`;
const FOLDER = `/sys/fs/cgroup/${GROUP}`;
const FILES = ['cgroup.procs', 'cgroup.threads', 'cgroup.events'];
const usable = process.getuid?.() === 0 && !existsSync('/sys/fs/cgroup/cgroup.controllers');
const inContainer = test.runIf(usable);

let images: string;
let one: ChildProcess;
let two: ChildProcess;
const pid = ({ pid: id = 0 }: ChildProcess): number => id;
const stateOf = (id: number): string => parseStat(readFileSync(`/proc/${id.toString()}/stat`, 'utf8'))?.state ?? '';
const group = (...ids: readonly number[]): void => { for (const name of ['cgroup.procs', 'cgroup.threads']) writeFileSync(`${FOLDER}/${name}`, ids.map((id) => `${id.toString()}\n`).join('')); };

beforeEach(async () => {
  images = join(mkdtempSync(join(tmpdir(), 'segue-images-')), 'images');
  mkdirSync(images);
  if (!usable) return;
  mkdirSync(FOLDER);
  [one, two] = [spawn('sleep', ['infinity']), spawn('sleep', ['infinity'])];
  for (const child of [one, two]) {
    child.kill('SIGSTOP');
    await expect.poll(() => stateOf(pid(child))).toBe('T');
    writeFileSync(join(images, `core-${pid(child).toString()}.img`), '');
  }
  group(pid(one), pid(two));
});
afterEach(async () => {
  rmSync(join(images, '..'), { recursive: true });
  if (!usable) return;
  for (const child of [one, two]) if (child.exitCode === null && child.signalCode === null) {
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  for (const name of FILES) rmSync(`${FOLDER}/${name}`, { force: true });
  rmdirSync(FOLDER);
});

const confirmed = () => confirm([{ unit: 'a.service', controlGroup: `/${GROUP}`, images: [images] }]);
const changed = (what: RegExp | string) => ({ ok: false, failure: { reason: 'workload-changed', unit: 'a.service', what: expect.stringMatching(what) as string } });

inContainer('whoever stands still as it was imaged may go', async () => {
  expect(await confirmed()).toEqual({ ok: true, value: undefined });
});

inContainer('one that was let go on has run past its image', async () => {
  two.kill('SIGCONT');
  await expect.poll(() => stateOf(pid(two))).not.toBe('T');
  expect(await confirmed()).toEqual(changed(`process ${pid(two).toString()} was let go on`));
});

inContainer('one that was killed is not to live again', async () => {
  two.kill('SIGKILL');
  await once(two, 'exit');
  group(pid(one));
  expect(await confirmed()).toEqual(changed(`process ${pid(two).toString()} has ended`));
});

inContainer('a signal that has come since is in no image', async () => {
  two.kill('SIGUSR1');
  expect(await confirmed()).toEqual(changed(`a signal \\(SIGUSR1\\) has come for its process ${pid(two).toString()}`));
  noteSignals([pid(one), pid(two)]);
  expect(await confirmed(), 'it waited when it was imaged').toEqual({ ok: true, value: undefined });
  one.kill('SIGTERM');
  expect(await confirmed()).toEqual(changed(`a signal \\(SIGTERM\\) has come for its process ${pid(one).toString()}`));
});

inContainer('nor is one for another thread', async () => {
  const threads = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
  try {
    await expect.poll(() => readdirSync(`/proc/${pid(threads).toString()}/task`).length).toBeGreaterThan(1);
    threads.kill('SIGSTOP');
    await expect.poll(() => stateOf(pid(threads))).toBe('T');
    writeFileSync(join(images, `core-${pid(threads).toString()}.img`), '');
    group(pid(one), pid(two), pid(threads));
    noteSignals([pid(threads)]);
    expect(await confirmed()).toEqual({ ok: true, value: undefined });
    const other = readdirSync(`/proc/${pid(threads).toString()}/task`).map(Number).find((thread) => thread !== pid(threads)) ?? 0;
    execFileSync('perl', ['-e', 'require "syscall.ph"; syscall(SYS_tgkill(), map { $_ + 0 } @ARGV) == 0 or die $!', ...[pid(threads), other, constants.signals.SIGTERM].map(String)]);
    expect(await confirmed()).toEqual(changed(`a signal \\(SIGTERM\\) has come for its process ${pid(threads).toString()}`));
  } finally {
    threads.kill('SIGKILL');
  }
});

inContainer('of a timer that goes off meanwhile the image has what is left of it', async () => {
  for (const name of ['SIGALRM', 'SIGVTALRM', 'SIGPROF', 'SIGCHLD'] as const) one.kill(name);
  expect(await confirmed()).toEqual({ ok: true, value: undefined });
});

inContainer('of one that is in no image nothing would be left', async () => {
  group(pid(one), pid(two), process.pid);
  expect(await confirmed()).toEqual(changed(`process ${process.pid.toString()} has come`));
});

inContainer('a unit that was stopped has no cgroup any more', async () => {
  for (const name of FILES) rmSync(`${FOLDER}/${name}`, { force: true });
  expect(await confirmed()).toEqual(changed('stopped'));
});

inContainer('whose image was proven current is as it was for as long as its cgroup stands still', async () => {
  markProven('proven.service', { imprint: { threads: [pid(one), pid(two)].sort((a, b) => a - b), calls: 0, terms: {}, files: {}, sockets: [], connections: {}, counters: {}, locks: [] }, deeds: undefined });
  const proven = () => confirm([{ unit: 'proven.service', controlGroup: `/${GROUP}`, images: [] }]);
  writeFileSync(`${FOLDER}/cgroup.events`, 'populated 1\nfrozen 1\n');
  expect(await proven()).toEqual({ ok: true, value: undefined });
  one.kill('SIGHUP');
  expect(await proven()).toMatchObject({ ok: false, failure: { unit: 'proven.service', what: expect.stringContaining('a signal (SIGHUP)') as string } });
  for (const others of [[pid(one)], [pid(one), pid(two), process.pid]]) {
    group(...others);
    expect(await proven()).toMatchObject({ ok: false, failure: { unit: 'proven.service', what: expect.stringContaining('has come or gone') as string } });
  }
  writeFileSync(`${FOLDER}/cgroup.events`, 'populated 1\nfrozen 0\n');
  expect(await proven()).toMatchObject({ ok: false, failure: { unit: 'proven.service', what: expect.stringContaining('let go on') as string } });
});
