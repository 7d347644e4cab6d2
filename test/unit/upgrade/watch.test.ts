import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { handoverPaths } from '../../../src/model/handover.ts';
import { openJournal, readJournal } from '../../../src/store/journal.ts';
import type { GivenUp, GuardOrder } from '../../../src/upgrade/guard.ts';
import { parseStat } from '../../../src/survey/task.ts';
import type { Undoable } from '../../../src/upgrade/undo.ts';
import { watch } from '../../../src/upgrade/watch.ts';

const ID = '20260101-100000';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'segue-watch-'));
  openJournal(folder, ID, '6.12.1');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const order = (): GuardOrder => ({ id: ID, store: folder, kernel: '6.12.1', pid: process.pid, controlGroup: '/no/such/group' });
const undoable = (word: string): Undoable => ({ title: word, undo: { kind: 'run', argv: ['sh', '-c', `echo ${word} >>"$0/log"`, folder] } });
const log = (): string => (existsSync(join(folder, 'log')) ? readFileSync(join(folder, 'log'), 'utf8') : '');
const events = (): (readonly [string, string | undefined])[] => (readJournal(folder, ID) ?? []).map(({ event, why }) => [event, why]);

/** A guard that is told these lines, and then that the upgrade is gone. */
async function guarded(messages: readonly (GuardOrder | Undoable | GivenUp | string)[]): Promise<string[]> {
  const input = new PassThrough();
  const said: string[] = [];
  const watching = watch(input, (word) => said.push(word));
  input.end(messages.map((message) => (typeof message === 'string' ? message : `${JSON.stringify(message)}\n`)).join(''));
  await watching;
  return said;
}

test('when the upgrade was killed, what it had begun is undone, last one first, and the journal says so', async () => {
  expect(await guarded([order(), undoable('a'), undoable('b')])).toEqual(['ready', 'done']);
  expect(log()).toBe('b\na\n');
  expect(events()).toEqual([['giving-up', 'its process was killed'], ['given-up', 'its process was killed']]);
});

test('when the upgrade gives up itself, the reason is its own', async () => {
  expect(await guarded([order(), undoable('a'), { givingUp: 'dump-failed' }])).toEqual(['ready', 'done']);
  expect(log()).toBe('a\n');
  expect(events()).toEqual([['given-up', 'dump-failed']]);
});

test('what was killed before it began anything leaves nothing to undo, and is given up', async () => {
  expect(await guarded([order()])).toEqual(['ready', 'done']);
  expect(events()).toEqual([['giving-up', 'its process was killed'], ['given-up', 'its process was killed']]);
});

test('what was begun is undone also where the disk takes no word of it', async () => {
  const { upgrade } = handoverPaths(folder, ID);
  rmSync(upgrade, { recursive: true });
  // As little a file as one that cannot be written.
  mkdirSync(`${upgrade}/journal.ndjson`, { recursive: true });
  expect(await guarded([order(), undoable('a')])).toEqual(['ready', 'done']);
  expect(log()).toBe('a\n');
});

test('an announcement that was torn is of a step that did not begin', async () => {
  await guarded([order(), undoable('a'), JSON.stringify(undoable('b')).slice(0, -5)]);
  expect(log()).toBe('a\n');
});

test.each(['null', '5', '"id"', '[]', '{}', '{"title":"b"}', '{"title":"b","undo":null}'])('after a line that is no announcement, %s, what was begun is undone all the same', async (line) => {
  expect(await guarded([order(), undoable('a'), `${line}\n`])).toEqual(['ready', 'done']);
  expect(log()).toBe('a\n');
  expect(events().at(-1)).toEqual(['given-up', 'its process was killed']);
});

test('an upgrade that stands still is killed, and what it had begun is undone; one that says that it is alive goes on', async () => {
  const upgrade = spawn('sleep', ['infinity']);
  const ended = once(upgrade, 'exit');
  const input = new PassThrough();
  const said: string[] = [];
  const watching = watch(input, (word) => said.push(word), 1);
  input.write([{ ...order(), pid: upgrade.pid }, undoable('a')].map((message) => `${JSON.stringify(message)}\n`).join(''));
  // For longer than it may be silent.
  for (let count = 0; count < 6; count += 1) {
    await sleep(500);
    input.write('{"alive":true}\n');
  }
  expect(said).toEqual(['ready']);
  await watching;
  expect(await ended).toEqual([null, 'SIGKILL']);
  expect(said).toEqual(['ready', 'done']);
  expect(log()).toBe('a\n');
  expect(events()).toEqual([['giving-up', 'its process stood still'], ['given-up', 'its process stood still']]);
});

test('everybody goes on before anything else is undone, which may wait for a disk; who was stopped before the image stays so', async () => {
  const resumption = (unit: string, title: string, controlGroup: string, keepStopped: readonly number[]): Undoable => ({ title, unit, undo: { kind: 'resume', controlGroup, keepStopped } });
  // Where the tests run in a container it is a folder like others.
  const group = `segue-test-${process.pid.toString()}`;
  const groupFolder = `/sys/fs/cgroup/${group}`;
  mkdirSync(groupFolder);
  const [imaged, stoppedBefore] = [spawn('sleep', ['infinity']), spawn('sleep', ['infinity'])];
  const state = (pid = 0): string => parseStat(readFileSync(`/proc/${pid.toString()}/stat`, 'utf8'))?.state ?? '';
  try {
    for (const { pid = 0 } of [imaged, stoppedBefore]) {
      appendFileSync(`${groupFolder}/cgroup.procs`, `${pid.toString()}\n`);
      process.kill(pid, 'SIGSTOP');
      await expect.poll(() => state(pid)).toBe('T');
    }
    const whole = resumption('one.service', 'image all of it while it sleeps', `/${group}`, [imaged.pid ?? 0, stoppedBefore.pid ?? 0]);
    const last: Undoable = { title: 'close the journal', undo: { kind: 'run', argv: ['sh', '-c', `grep -E '^State' /proc/${(imaged.pid ?? 0).toString()}/status >>"$0/log"`, folder] } };
    expect(await guarded([order(), undoable('a'), whole, last, resumption('one.service', 'image it', `/${group}`, [stoppedBefore.pid ?? 0])])).toEqual(['ready', 'done']);
    expect(log()).toMatch(/^State:\tS.*\na\n$/);
    expect(state(stoppedBefore.pid)).toBe('T');
    expect(events().at(-1)).toEqual(['given-up', 'its process was killed']);
  } finally {
    for (const child of [imaged, stoppedBefore]) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    if (!existsSync(`${groupFolder}/cgroup.type`)) for (const name of ['cgroup.procs', 'cgroup.freeze']) rmSync(`${groupFolder}/${name}`, { force: true });
    rmdirSync(groupFolder);
  }
});
