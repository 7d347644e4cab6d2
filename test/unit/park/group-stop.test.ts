import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { letGo, processTree, stopTree } from '../../../src/park/group-stop.ts';
import { isStopped } from '../../../src/survey/task.ts';

// In a container these are files like others; a cgroup is made by who has one.
const GROUP = `/segue-test-stop-${process.pid.toString()}`;
const FOLDER = `/sys/fs/cgroup${GROUP}`;
const usable = process.getuid?.() === 0 && !existsSync('/sys/fs/cgroup/cgroup.controllers');
const inContainer = test.runIf(usable);

/** A shell, a shell of its, and a program of that. */
let shell: ChildProcess;
let tree: readonly [number, number, number];

beforeEach(async () => {
  if (!usable) return;
  mkdirSync(FOLDER);
  writeFileSync(`${FOLDER}/cgroup.events`, 'populated 1\nfrozen 1\n');
  shell = spawn('sh', ['-c', 'sh -c "sleep infinity & wait" & wait']);
  await expect.poll(() => processTree(shell.pid ?? 0)).toHaveLength(3);
  tree = processTree(shell.pid ?? 0) as [number, number, number];
});
afterEach(async () => {
  if (!usable) return;
  for (const pid of tree.toReversed()) process.kill(pid, 'SIGKILL');
  await once(shell, 'exit');
  for (const name of ['cgroup.events', 'cgroup.freeze']) rmSync(`${FOLDER}/${name}`, { force: true });
  rmdirSync(FOLDER);
});

inContainer('a tree stands still, and goes on, as a whole; who stood still before is not among those that were stopped', async () => {
  const [root, child, grandchild] = tree;
  process.kill(child, 'SIGSTOP');
  await expect.poll(() => isStopped(child)).toBe(true);
  expect(await stopTree(GROUP, root)).toEqual([root, grandchild]);
  expect(tree.map(isStopped)).toEqual([true, true, true]);
  expect(readFileSync(`${FOLDER}/cgroup.freeze`, 'utf8')).toBe('0');
  await letGo(GROUP, [root, grandchild]);
  await expect.poll(() => tree.map(isStopped)).toEqual([false, true, false]);
});

inContainer('where somebody cannot be frozen nobody is stopped', async () => {
  writeFileSync(`${FOLDER}/cgroup.events`, 'populated 1\nfrozen 0\n');
  expect(await stopTree(GROUP, tree[0])).toEqual([]);
  expect(tree.map(isStopped)).toEqual([false, false, false]);
  expect(readFileSync(`${FOLDER}/cgroup.freeze`, 'utf8')).toBe('0');
});
