import type { Guest } from '../../../lab.js';
import type { Sleepers } from '../cases.js';
import type { Span } from '../../steps.js';

const FILE = '/var/tmp/copy';

/**
 * Writes as much to the disk as these sleepers have in memory, with the weights that snapshots are taken with. What a
 * service loses beside it is what any work on this host costs it: under emulation clients, processors and disk of the guest
 * share the host's processors. Gives the time that it took.
 */
export async function copyPlainly(guest: Guest, sleepers: readonly Sleepers[]): Promise<Span> {
  const mib = sleepers.reduce((sum, { count, mib }) => sum + count * mib, 0);
  const from = Date.now();
  await guest.exec(['systemd-run', '--quiet', '--collect', '--wait', '--property=CPUWeight=idle', '--property=IOWeight=1', '--', 'dd', 'if=/dev/zero', `of=${FILE}`, 'bs=1M', `count=${mib}`, 'conv=fsync'], { timeoutMs: 180_000 });
  const to = Date.now();
  await guest.exec(['rm', FILE]);
  return { from, to };
}
