import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { identify, isAlive } from '../../../lab/host/process.js';

test('a process lives as long as one of its threads does: until then its files are open, and its locks held', async () => {
  // exit(2) ends the first thread only.
  const child = spawn('perl', ['-Mthreads', '-e', '$| = 1; threads->create(sub { print "up\\n"; sleep 2 }); syscall(60, 0)'], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  await sleep(300);
  const process = identify(child.pid ?? 0);
  expect(isAlive(process)).toBe(true);
  await once(child, 'exit');
  expect(isAlive(process)).toBe(false);
});

test('a process that has ended is not alive, although nobody has asked how it ended', async () => {
  const child = spawn('sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 3'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [pid] = (await once(child.stdout, 'data')) as [Buffer];
  await sleep(500);
  expect(identify(Number(pid.toString()))).toBeUndefined();
  child.kill();
});
