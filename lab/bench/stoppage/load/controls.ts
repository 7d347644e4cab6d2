import type { Guest } from '../../../lab.js';
import type { Sleepers } from '../cases.js';
import type { Span } from '../../steps.js';

/**
 * What a service loses beside anything that has the weights of a snapshot, and does less: under emulation clients, processors and
 * disk of the guest share the host's processors.
 */
async function lowest(guest: Guest, command: readonly string[]): Promise<Span> {
  const from = Date.now();
  await guest.exec(['systemd-run', '--quiet', '--collect', '--wait', '--property=CPUWeight=idle', '--property=IOWeight=1', '--', ...command], { timeoutMs: 180_000 });
  return { from, to: Date.now() };
}

const FILE = '/var/tmp/copy';

/** Writes as much to the disk as these sleepers have in memory. Gives the time that it took. */
export async function copyPlainly(guest: Guest, sleepers: readonly Sleepers[]): Promise<Span> {
  const mib = sleepers.reduce((sum, { count, mib }) => sum + count * mib, 0);
  const span = await lowest(guest, ['dd', 'if=/dev/zero', `of=${FILE}`, 'bs=1M', `count=${mib}`, 'conv=fsync']);
  await guest.exec(['rm', FILE]);
  return span;
}

/** A loop on each processor, which touches nothing. */
export const loopEverywhere = (guest: Guest, seconds: number): Promise<Span> =>
  lowest(guest, ['sh', '-c', `for processor in $(seq "$(nproc)"); do timeout ${seconds} sh -c 'while :; do :; done' & done; wait`]);
