import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Log } from '../log.js';

/**
 * Holds a lock on a file while `work` runs.
 *
 * Node cannot flock(2); flock(1) holds the lock for us and lets go when its stdin closes. The
 * kernel closes it when this process ends, however it ends, so that no lock is ever left behind.
 */
export async function withLock<T>(file: string, log: Log, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(file), { recursive: true });
  const holder = spawn('flock', ['--exclusive', file, 'sh', '-c', 'echo held; exec cat >/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const patience = setTimeout(() => log(`waiting for another lab that builds the same (${file})`), 1000);
  try {
    await Promise.race([
      once(holder.stdout, 'data'),
      once(holder, 'exit').then(() => {
        throw new Error(`flock ${file} ended before it had the lock`);
      }),
    ]);
    clearTimeout(patience);
    return await work();
  } finally {
    clearTimeout(patience);
    holder.stdin.end();
  }
}
