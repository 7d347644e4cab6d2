import type { Guest } from '../lab.js';

/** By how much the guest's clock is ahead of the host's, milliseconds. */
export async function clockAhead(guest: Guest): Promise<number> {
  return await offset(guest, 'date +%s%3N', Number);
}

/** When the guest's kernel began to count its time, by the host's clock: milliseconds since the epoch. */
export async function kernelStart(guest: Guest): Promise<number> {
  return -(await offset(guest, 'cat /proc/uptime', (text) => Number(text.split(' ')[0]) * 1000));
}

/** What a clock of the guest shows, less the host's: of several looks the one that took least time. */
async function offset(guest: Guest, command: string, read: (text: string) => number): Promise<number> {
  let best = { tookMs: Infinity, offset: 0 };
  for (let look = 0; look < 5; look += 1) {
    const begin = Date.now();
    const { stdout } = await guest.exec(command);
    const tookMs = Date.now() - begin;
    if (tookMs < best.tookMs) best = { tookMs, offset: read(stdout) - begin - tookMs / 2 };
  }
  return best.offset;
}
