import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fullSpeed, limitOf, limitTo, setLimit, slowDown, urgently } from '../../../src/park/pace.ts';
import { thawAll } from '../../../src/upgrade/undo.ts';

// In a container these are files like others; a cgroup is made by who has one.
const GROUP = `/segue-test-pace-${process.pid.toString()}`;
const FOLDER = `/sys/fs/cgroup${GROUP}`;
const usable = process.getuid?.() === 0 && !existsSync('/sys/fs/cgroup/cgroup.controllers');
const inContainer = test.runIf(usable);
const is = (name: string): string => readFileSync(`${FOLDER}/${name}`, 'utf8');

beforeEach(() => {
  if (usable) mkdirSync(FOLDER);
});
afterEach(() => {
  if (usable) rmSync(FOLDER, { recursive: true });
});

test('a part of the time that was used is a quota of each 20 ms, or of a longer period where the kernel takes no such quota', () => {
  expect(limitTo(0.25, 400_000, 500_000)).toBe('4000 20000');
  expect(limitTo(0.25, 1_600_000, 500_000)).toBe('16000 20000');
  expect(limitTo(0.25, 50_000, 500_000)).toBe('1000 40000');
  expect(limitTo(0.25, 0, 500_000)).toBe('1000 200000');
});

inContainer('a cgroup that has no limit can be given one only where there is a place for it', () => {
  expect(limitOf(GROUP)).toBe('max 100000');
  expect(setLimit(GROUP, '1000 20000')).toBe(false);
  writeFileSync(`${FOLDER}/cpu.max`, '50000 100000\n');
  expect(limitOf(GROUP)).toBe('50000 100000');
  expect(setLimit(GROUP, '1000 20000')).toBe(true);
  expect(is('cpu.max')).toContain('1000 20000');
});

inContainer('a cgroup of which nobody knows what it uses is not slowed down', async () => {
  writeFileSync(`${FOLDER}/cpu.max`, 'max 100000\n');
  expect(await slowDown(GROUP, 0.25)).toBeUndefined();
  expect(is('cpu.max')).toBe('max 100000\n');
});

inContainer('who was slowed down is at full speed again, and runs, before anything else is undone', async () => {
  for (const [name, content] of [['cpu.max', 'max 100000'], ['cpu.stat', 'usage_usec 1000\nuser_usec 1000\n'], ['cgroup.freeze', '1']] as const) writeFileSync(`${FOLDER}/${name}`, content);
  expect(await slowDown(GROUP, 0.25)).toBe('1000 200000');
  expect(is('cpu.max')).toContain('1000 200000');
  await thawAll([{ title: 'slow', undo: { kind: 'full-speed', controlGroup: GROUP, limit: 'max 100000' } }]);
  // As a file it keeps what was behind that.
  expect([is('cpu.max').slice(0, 10), is('cgroup.freeze')]).toEqual(['max 100000', '0']);
  writeFileSync(`${FOLDER}/cgroup.freeze`, '1');
  await fullSpeed(GROUP, '1000 20000');
  expect([is('cpu.max').slice(0, 10), is('cgroup.freeze')]).toEqual(['1000 20000', '0']);
});

inContainer('what is urgent comes before others for as long as it takes, also if it fails', async () => {
  expect(await urgently(() => Promise.resolve('done'), GROUP)).toBe('done'); // no weights here
  writeFileSync(`${FOLDER}/cpu.weight`, '00100');
  await expect(urgently(() => {
    expect(is('cpu.weight')).toBe('10000');
    return Promise.reject(new Error('no'));
  }, GROUP)).rejects.toThrow('no');
  expect(is('cpu.weight')).toBe('00100');
});
