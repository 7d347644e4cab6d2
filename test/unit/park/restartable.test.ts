import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { BEGIN_ANEW } from '../../../src/park/restartable.ts';

const read = (pid: number, name: string): string => readFileSync(`/proc/${pid.toString()}/${name}`, 'utf8');
const until = async (condition: () => boolean): Promise<void> => { while (!condition()) await sleep(5); };

/** Numbers of system calls (arch/x86/entry/syscalls/syscall_64.tbl). */
const [POLL, RESTART_SYSCALL] = [7, 219];

test.runIf(process.arch === 'x64')('a call that a stop has broken off is begun anew, and ends no sooner for that', async () => {
  const child = spawn('perl', ['-MIO::Poll', '-e', '($poll = IO::Poll->new)->mask(*STDIN{IO} => POLLIN); print $poll->poll(-1)'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const pid = child.pid ?? 0;
  const call = (): number => Number(read(pid, 'syscall').split(' ')[0]);
  try {
    await until(() => call() === POLL);
    const stopAndGoOn = async (meanwhile: () => void): Promise<void> => {
      child.kill('SIGSTOP');
      await until(() => /^State:\tT/m.test(read(pid, 'status')));
      meanwhile();
      child.kill('SIGCONT');
      await until(() => /^State:\tS/m.test(read(pid, 'status')));
    };
    await stopAndGoOn(() => { expect(spawnSync('perl', ['-e', BEGIN_ANEW, pid.toString(), '4194303'], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' }); });
    expect(call()).toBe(POLL);
    // What the kernel does by itself, and cannot once CRIU was there.
    await stopAndGoOn(() => undefined);
    expect(call()).toBe(RESTART_SYSCALL);
    child.stdin.end('x');
    const [said] = await once(child.stdout, 'data') as [Buffer];
    expect(said.toString()).toBe('1');
  } finally {
    child.kill('SIGKILL');
  }
});
