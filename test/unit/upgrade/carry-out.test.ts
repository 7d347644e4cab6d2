import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmdirSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Failure } from '../../../src/failure/failure.ts';
import type { Result } from '../../../src/failure/result.ts';
import { isStopped, parseStat } from '../../../src/survey/task.ts';
import type { Action, Step } from '../../../src/model/step.ts';
import { carryOut, lanes } from '../../../src/upgrade/carry-out.ts';
import type { Guard } from '../../../src/upgrade/guard.ts';
import { undo, type Undoable } from '../../../src/upgrade/undo.ts';
import { openJournal, readJournal, type Journal } from '../../../src/store/journal.ts';

const ID = '20260101-100000';
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'segue-carry-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const path = (name: string): string => join(folder, name);
const shell = (script: string): Action => ({ kind: 'run', argv: ['sh', '-c', `cd "$0" && ${script}`, folder] });
/** Writes its name, and how many lines the journal has at that moment, to a log. */
const noted = (word: string): Action => shell(`echo "${word} $(wc -l <upgrades/${ID}/journal.ndjson)" >>log`);
const step = (title: string, action: Action, undo?: Action): Step => ({ phase: 'prepare', title, action, ...(undo === undefined ? {} : { undo }) });
const log = (): string[] => (existsSync(path('log')) ? readFileSync(path('log'), 'utf8').trim().split('\n') : []);
const words = (): (string | undefined)[] => log().map((line) => line.split(' ')[0]);

async function carry(steps: readonly Step[], interruptAfter = Infinity): Promise<{ result: Result<undefined>; begun: string[]; gaveUp: Failure[]; events: string[]; last: string | undefined }> {
  const begun: string[] = [];
  const gaveUp: Failure[] = [];
  const journal = openJournal(folder, ID, '6.12.1');
  // In this process; that of an upgrade is in one of its own (watch.test.ts).
  const undoables: Undoable[] = [];
  const guard: Guard = { begins: (step) => { undoables.push(step); return Promise.resolve(); }, giveUp: async (why) => { journal.append(await undo(undoables, why)); } };
  const result = await carryOut(steps, {
    journal,
    progress: { stepBegins: ({ title }) => begun.push(title), givingUp: (failure) => gaveUp.push(failure) },
    guard,
    interrupted: () => (begun.length >= interruptAfter ? { reason: 'interrupted', signal: 'SIGINT' } : undefined),
  });
  const events = readJournal(folder, ID) ?? [];
  return { result, begun, gaveUp, events: events.map((event) => event.event), last: events.at(-1)?.why };
}

test('the steps are carried out in order', async () => {
  const { result, begun, events } = await carry([step('a', noted('a')), step('b', shell('true')), step('c', noted('c'))]);

  expect(result).toEqual({ ok: true, value: undefined });
  expect(begun).toEqual(['a', 'b', 'c']);
  expect(words()).toEqual(['a', 'c']);
  expect(events).toEqual(['step', 'step', 'step']);
});

test('each step is in the journal before it takes effect', async () => {
  await carry([step('a', noted('a')), step('b', noted('b')), step('c', noted('c'))]);
  expect(log()).toEqual(['a 1', 'b 2', 'c 3']);
});

test('the journal names the step, its phase and its unit', async () => {
  await carry([{ phase: 'park', title: 'image it', unit: 'a.service', action: shell('true') }]);
  expect(readJournal(folder, ID)).toMatchObject([{ kernel: '6.12.1', event: 'step', phase: 'park', step: 'image it', unit: 'a.service' }]);
});

test('when a step fails, what was begun is undone from the last to the first, the failed step too', async () => {
  const { result, gaveUp, events, last } = await carry([
    step('a', noted('a'), noted('undo-a')),
    step('b', noted('b')),
    step('c', shell('false'), noted('undo-c')),
    step('d', noted('d'), noted('undo-d')),
  ]);

  expect(result).toMatchObject({ ok: false, failure: { reason: 'command-failed', exitCode: 1 } });
  expect(gaveUp.map(({ reason }) => reason)).toEqual(['command-failed']);
  expect(words()).toEqual(['a', 'b', 'undo-c', 'undo-a']);
  expect(events).toEqual(['step', 'step', 'step', 'giving-up', 'given-up']);
  expect(last).toBe('command-failed');
});

test('that it gives up is in the journal before anything is undone', async () => {
  await carry([step('a', shell('false'), noted('undo-a'))]);
  expect(log()).toEqual(['undo-a 2']);
});

test('an interruption between two steps undoes what was begun and no more', async () => {
  const { result, begun, events } = await carry([step('a', noted('a'), noted('undo-a')), step('b', noted('b'), noted('undo-b')), step('c', noted('c'), noted('undo-c'))], 2);

  expect(result).toEqual({ ok: false, failure: { reason: 'interrupted', signal: 'SIGINT' } });
  expect(begun).toEqual(['a', 'b']);
  expect(words()).toEqual(['a', 'b', 'undo-b', 'undo-a']);
  expect(events.slice(-2)).toEqual(['giving-up', 'given-up']);
});

test('an interruption before the first step undoes nothing', async () => {
  const { events } = await carry([step('a', noted('a'), noted('undo-a'))], 0);
  expect(words()).toEqual([]);
  expect(events).toEqual(['giving-up', 'given-up']);
});

test('what cannot be undone is told, and the rest is undone all the same', async () => {
  const { events, last } = await carry([
    step('a', noted('a'), noted('undo-a')),
    { ...step('b', noted('b'), shell('false')), unit: 'b.service' },
    step('c', { kind: 'link', path: '/proc/none', target: 'x' }, { kind: 'write', path: '/proc/none', content: '' }),
  ]);

  expect(words()).toEqual(['a', 'b', 'undo-a']);
  expect(events.at(-1)).toBe('given-up-in-part');
  expect(last).toMatch(/^c: step failed: .*ENOENT.*; b\.service b: a command failed with exit code 1: /);
});

test('a system call that says no is a failure that names the step and the unit', async () => {
  const { result } = await carry([{ ...step('link it', { kind: 'link', path: '/proc/none', target: 'x' }), unit: 'a.service' }]);
  expect(result).toMatchObject({ failure: { reason: 'step-failed', step: 'a.service: link it', error: expect.stringContaining('ENOENT') as string } });
});

test('files and folders are for root only, links lead where they are told', async () => {
  await carry([
    step('file', { kind: 'write', path: path('z/secret'), content: 'ä\n' }),
    step('link', { kind: 'link', path: path('x/link'), target: '/etc/nowhere' }),
  ]);

  expect(readFileSync(path('z/secret'), 'utf8')).toBe('ä\n');
  expect([path('x'), path('z')].map((name) => statSync(name).mode & 0o777)).toEqual([0o700, 0o700]);
  expect(statSync(path('z/secret')).mode & 0o777).toBe(0o600);
  expect(readlinkSync(path('x/link'))).toBe('/etc/nowhere');
});

test('a folder is removed with all that is in it, and what is not there is no failure', async () => {
  writeFileSync(path('file'), '');
  const { result } = await carry([
    step('make', { kind: 'write', path: path('x/y/z'), content: '' }),
    step('remove', { kind: 'remove', path: path('x') }),
    step('again', { kind: 'remove', path: path('x') }),
  ]);
  expect(result.ok).toBe(true);
  expect(existsSync(path('x'))).toBe(false);
  expect(existsSync(path('file'))).toBe(true);
});

test('a command reads its input', async () => {
  await carry([step('a', { kind: 'run', argv: ['tee', path('copy')], input: 'table inet segue\n' })]);
  expect(readFileSync(path('copy'), 'utf8')).toBe('table inet segue\n');
});

test('a process that has ended, or whose id is that of another one, is not imaged', async () => {
  const dump = (pid: number): Action => ({ kind: 'dump', unit: 'a.service', argv: ['touch', path('imaged')], handover: folder, memory: 0, images: folder, privateUsers: false, renamedSockets: [], controlGroup: '/none', pid, startTime: 1 });
  for (const pid of [process.pid, 2 ** 22 + 1]) {
    const { result } = await carry([step('a', dump(pid))]);
    expect(result).toMatchObject({ failure: { reason: 'workload-changed', unit: 'a.service' } });
  }
  expect(existsSync(path('imaged'))).toBe(false);
});

test('what is left of the disk is not for images', async () => {
  mkdirSync(path('handover'));
  writeFileSync(path('vault'), '');
  const { pid } = process;
  const { bavail, bsize } = statfsSync(folder);
  const dump = (memory: number): Action => ({ kind: 'dump', unit: 'a.service', argv: ['true'], handover: path('handover'), memory, images: path('images'), privateUsers: false, renamedSockets: [], controlGroup: '/none', pid, startTime: parseStat(readFileSync('/proc/self/stat', 'utf8'))?.startTime ?? 0 });
  expect((await carry([step('a', dump(bavail * bsize - 32 * 2 ** 20))])).result).toMatchObject({ failure: { reason: 'store-too-small', path: folder } });
  expect((await carry([step('a', dump(0))])).result).not.toMatchObject({ failure: { reason: 'store-too-small' } });
});

test('what cannot be written to disk is said', async () => {
  const { result } = await carry([step('a', { kind: 'sync', path: folder, limitSeconds: 60 })]);
  expect(result.ok).toBe(true);
  const { result: none } = await carry([step('a', { kind: 'sync', path: path('none'), limitSeconds: 60 })]);
  expect(none).toMatchObject({ failure: { reason: 'not-on-disk', what: path('none') } });
});

test('steps of the same kind are carried out side by side in their lanes, all else one by one', () => {
  const inLane = (of: string, name: string, title: string): Step => ({ ...step(title, shell('true')), lane: { of, name } });
  const batches = lanes([step('lock', shell('true')), step('more', shell('true')), inLane('images', 'a', 'a1'), inLane('images', 'b', 'b'), inLane('images', 'a', 'a2'), inLane('archives', 'a', 'run'), inLane('archives', 'b', 'tmp'), step('seal', shell('true')), inLane('archives', 'a', 'late')]);
  expect(batches.map((batch) => batch.map((lane) => lane.map(({ title }) => title)))).toEqual([[['lock']], [['more']], [['a1', 'a2'], ['b']], [['run'], ['tmp']], [['seal']], [['late']]]);
});

test('when one of several images fails, the others under way end, no further one begins, and all that began are undone', async () => {
  const image = (unit: string, argv: readonly string[]): Step => ({
    phase: 'park', unit, title: `image ${unit}`, lane: { of: 'images', name: unit }, undo: noted(`undo-${unit}`),
    action: { kind: 'dump', unit, argv, handover: folder, memory: 0, images: folder, privateUsers: false, renamedSockets: [], controlGroup: '/none', pid: process.pid, startTime: parseStat(readFileSync('/proc/self/stat', 'utf8'))?.startTime ?? 0 },
  });
  const units = Array.from({ length: 2 * availableParallelism() }, (_, index) => `u${index}`);
  const { result, begun } = await carry(units.map((unit) => image(unit, [unit === 'u0' ? 'false' : 'true'])));

  expect(result).toMatchObject({ failure: { reason: 'dump-failed', unit: 'u0' } });
  expect(words().toSorted()).toEqual(begun.map((title) => title.replace('image ', 'undo-')).toSorted());
});

test('a step that cannot be noted does not take effect, and what was begun is undone', async () => {
  const undone: string[] = [];
  const real = openJournal(folder, ID, '6.12.1');
  let room = 1;
  const full: Journal = {
    id: ID,
    append(event) {
      if (room === 0) throw new Error('ENOSPC: no space left on device');
      room -= 1;
      real.append(event);
    },
  };
  const guard: Guard = { begins: ({ title }) => { undone.push(title); return Promise.resolve(); }, giveUp: (why) => { undone.push(why); return Promise.resolve(); } };
  const result = await carryOut([step('a', noted('a'), noted('undo-a')), step('b', noted('b'))], { journal: full, progress: { stepBegins: () => undefined, givingUp: () => undefined }, guard, interrupted: () => undefined });

  expect(result).toEqual({ ok: false, failure: { reason: 'step-failed', step: 'b', error: 'ENOSPC: no space left on device' } });
  expect(words()).toEqual(['a']);
  expect(undone).toEqual(['a', 'step-failed']);
});

test('who was stopped when an image was begun stays so, whatever the plan knew of it', async () => {
  // Where the tests run in a container it is a folder like others.
  const name = `segue-test-${process.pid.toString()}`;
  const group = `/sys/fs/cgroup/${name}`;
  const [stopped, running] = [spawn('sleep', ['infinity']), spawn('sleep', ['infinity'])];
  mkdirSync(group);
  try {
    for (const { pid = 0 } of [stopped, running]) appendFileSync(`${group}/cgroup.procs`, `${pid.toString()}\n`);
    stopped.kill('SIGSTOP');
    const undoables: Undoable[] = [];
    const guard: Guard = { begins: (each) => { undoables.push(each); return Promise.resolve(); }, giveUp: () => Promise.resolve() };
    const dump: Action = { kind: 'dump', unit: 'a.service', argv: [], handover: '', memory: 0, images: '', privateUsers: false, renamedSockets: [], controlGroup: '/none', pid: running.pid ?? 0, startTime: 0 };
    await expect.poll(() => isStopped(stopped.pid ?? 0)).toBe(true);
    await carryOut([{ phase: 'park', title: 'image it', action: dump, undo: { kind: 'resume', controlGroup: `/${name}`, keepStopped: [] } }], { journal: openJournal(folder, ID, '6.12.1'), progress: { stepBegins: () => undefined, givingUp: () => undefined }, guard, interrupted: () => undefined });
    expect(undoables.map(({ undo: action }) => action)).toEqual([{ kind: 'resume', controlGroup: `/${name}`, keepStopped: [stopped.pid] }]);
  } finally {
    for (const child of [stopped, running]) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    if (!existsSync(`${group}/cgroup.type`)) rmSync(`${group}/cgroup.procs`);
    rmdirSync(group);
  }
});
