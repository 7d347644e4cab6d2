import { preparedState as demoState } from '../../demo/prepared.js';
import type { BaseOptions, Guest, Lab, SavedState } from '../../lab.js';
import { scaled } from '../scale.js';
import { PROBED_KEY, PROBED_VALUE } from './prober/probes.js';
import { SERVICES } from './services.js';

const KERNEL = '6.12';
/** What Redis holds in the comparison of the ways. */
export const REDIS_MIB = scaled(100);
const FILL_MS = 900_000;

/**
 * The demo's guest, with so much in Redis, and with nginx and Redis as its critical workloads: what the measure is about is
 * restored first. The ticker, which nobody can ask from outside, is not there.
 */
export async function preparedState(lab: Lab, machine: Pick<BaseOptions, 'memory' | 'append'> = {}): Promise<SavedState> {
  return await lab.state({
    base: await demoState(lab, KERNEL, machine),
    key: `pause, ${REDIS_MIB} MiB, 1`,
    async prepare(guest) {
      await guest.exec('systemctl disable --now ticker.service && rm /etc/systemd/system/ticker.service');
      for (const { unit } of SERVICES.filter(({ critical }) => critical)) {
        await guest.exec(`install -D -m 644 /dev/stdin /etc/systemd/system/${unit}.d/priority.conf`, { input: '[X-Segue]\nPriority=100\n' });
      }
      await guest.exec('systemctl daemon-reload');
      await fillRedis(guest, REDIS_MIB, { onDisk: true });
    },
  });
}

const VALUE_MIB = 4;

/** Random values, in its memory, and if that is wanted in its files: after a boot it reads them again. */
export async function fillRedis(guest: Guest, mib: number, { onDisk }: { onDisk: boolean }): Promise<void> {
  if (!onDisk) await guest.exec("redis-cli CONFIG SET appendonly no && redis-cli CONFIG SET save ''");
  await guest.exec(['redis-cli', 'SET', PROBED_KEY, PROBED_VALUE]);
  await guest.exec(`for value in $(seq ${Math.max(1, Math.round(mib / VALUE_MIB))}); do head -c ${VALUE_MIB}M /dev/urandom | redis-cli -x SET "pause:$value"; done`, { timeoutMs: FILL_MS });
  if (!onDisk) return;
  // It does not begin to save by itself while it is measured.
  await guest.exec('redis-cli SAVE && redis-cli BGREWRITEAOF; until redis-cli INFO persistence | grep -q aof_rewrite_in_progress:0; do sleep 1; done', { timeoutMs: FILL_MS });
}
