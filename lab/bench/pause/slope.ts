import type { Guest, Lab, SavedState } from '../../lab.js';
import { FULL_SIZE, scaled } from '../scale.js';
import { take } from './measure.js';
import { fillRedis } from './prepared.js';
import { SERVICES, type Service } from './services.js';
import { WAYS } from './ways.js';

/** Redis in two sizes. */
const SMALL_MIB = scaled(256);
const LARGE_MIB = scaled(2048);
const KERNEL = '6.12';
/** Of both alike: for the larger Redis, its image, and what the new kernel reads of that. */
const MEMORY = '6G';
const ALONE = ['nginx', 'memcached', 'mariadb', 'postgresql'];
const REDIS: readonly Service[] = SERVICES.filter(({ name }) => name === 'redis');

/** How the pause grows with memory, once. */
export interface Slope {
  readonly run: number;
  readonly accelerator: string;
  readonly smallMiB: number;
  readonly largeMiB: number;
  readonly smallMs: number;
  readonly largeMs: number;
  /** What a plain copy of the difference in memory takes in the same guest. */
  readonly copyMs: number;
  /** The growth of the pause, as a part of that. */
  readonly slope: number;
}

export async function measureSlope(lab: Lab, run: number): Promise<Slope> {
  const small = await pauseWith(lab, SMALL_MIB);
  const large = await pauseWith(lab, LARGE_MIB);
  const slope = (large.ms - small.ms) / large.copyMs;
  return { run, accelerator: large.accelerator, smallMiB: SMALL_MIB, largeMiB: LARGE_MIB, smallMs: small.ms, largeMs: large.ms, copyMs: large.copyMs, slope };
}

async function pauseWith(lab: Lab, mib: number): Promise<{ ms: number; copyMs: number; accelerator: string }> {
  await using guest = await lab.up({ state: await stateWith(lab, mib) });
  const copyMs = await copyTime(guest, LARGE_MIB - SMALL_MIB);
  const { criticalMs, accelerator } = await take(guest, WAYS.segueDisk, REDIS);
  return { ms: criticalMs, copyMs, accelerator };
}

async function stateWith(lab: Lab, mib: number): Promise<SavedState> {
  const base = await lab.state({
    base: { kernel: KERNEL, memory: MEMORY },
    key: 'Redis alone, 1',
    async prepare(guest) {
      await guest.exec(['systemctl', 'disable', '--now', ...ALONE], { timeoutMs: 180_000 });
      await guest.exec('segue setup --restart', { timeoutMs: 180_000 });
    },
  });
  return await lab.state({ base, key: `Redis with ${mib} MiB, 1`, prepare: (guest) => fillRedis(guest, mib, { onDisk: false }) });
}

/** No more memory than this at a time, beside a Redis that is to be undisturbed. */
const CHUNK_MIB = 256;

/** Memory that was written before is copied to memory that was written before: it is the copy that takes the time. */
async function copyTime(guest: Guest, mib: number): Promise<number> {
  const program = `
    const bytes = ${Math.min(mib, CHUNK_MIB)} * 2 ** 20;
    const from = Buffer.alloc(bytes, 1), to = Buffer.alloc(bytes, 2);
    const begin = process.hrtime.bigint();
    for (let left = ${mib} * 2 ** 20; left > 0; left -= bytes) from.copy(to, 0, 0, Math.min(left, bytes));
    console.log(Number(process.hrtime.bigint() - begin) / 1e6);`;
  const { stdout } = await guest.exec(['node', '-e', program], { timeoutMs: 300_000 });
  return Number(stdout);
}

export const SLOPE = `how the pause grows from ${SMALL_MIB} to ${LARGE_MIB} MiB in Redis, as a part of what a copy of the difference takes${FULL_SIZE ? '' : ' (a smaller size)'}`;
