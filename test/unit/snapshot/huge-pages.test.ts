import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { splitHugePages } from '../../../src/snapshot/huge-pages.ts';

const MIB = 2 ** 20;
const POLICY = '/sys/kernel/mm/transparent_hugepage/enabled';
const hugePages = (() => {
  try {
    return !readFileSync(POLICY, 'utf8').includes('[never]');
  } catch {
    return false;
  }
})();

/** mmap(2) of 16 MiB, madvise(2) with MADV_HUGEPAGE, and read(2) of nothing but zeros into all of it, which is then written. */
const HUGE = 'my $at = syscall(9, 0, 16 << 20, 3, 0x22, -1, 0); syscall(28, $at, 16 << 20, 14); open my $zeros, "<", "/dev/zero"; syscall(0, fileno $zeros, $at, 16 << 20); $| = 1; print "ready"; sleep 1000';

const hugeOf = (pid: number): number => 1024 * Number(/^AnonHugePages: +(\d+) kB$/m.exec(readFileSync(`/proc/${pid.toString()}/smaps_rollup`, 'utf8'))?.[1]);

test.runIf(process.arch === 'x64' && hugePages)('huge pages of a process are split', async () => {
  const child = spawn('perl', ['-e', HUGE], { stdio: ['ignore', 'pipe', 'inherit'] });
  const pid = child.pid ?? 0;
  try {
    await once(child.stdout, 'data');
    const huge = hugeOf(pid);
    expect(huge).toBeGreaterThanOrEqual(2 * MIB);
    // Of whoever has ended meanwhile there is nothing to split.
    expect(await splitHugePages([4194303, pid])).toBe(huge);
    expect(hugeOf(pid)).toBe(0);
    expect(await splitHugePages([pid])).toBe(0);
  } finally {
    child.kill('SIGKILL');
  }
});
