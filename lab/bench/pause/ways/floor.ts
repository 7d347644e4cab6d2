import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from '../../../errors.js';
import type { Guest } from '../../../lab.js';
import { NETWORK } from '../services.js';
import { loadKernel, newestKernel } from './newest.js';
import type { Way } from './way.js';

const FOLDER = '/root/floor';
const INITRAMFS = '/root/floor.img';
const PACK_MS = 120_000;
const FLOOR_MS = 120_000;

export const floor: Way = {
  what: 'kexec until the network answers, with a minimal initramfs; nothing comes back',
  bare: true,
  async prepare(guest) {
    await guest.exec(['mkdir', '-p', FOLDER]);
    for (const name of ['init', 'pack']) await guest.copyIn(fileURLToPath(new URL(`../floor/${name}`, import.meta.url)), `${FOLDER}/${name}`);
    await guest.exec(['sh', `${FOLDER}/pack`, await newestKernel(guest), `${guest.address}/24`, `${FOLDER}/init`, INITRAMFS], { timeoutMs: PACK_MS });
    await loadKernel(guest, INITRAMFS, ['panic=1']);
  },
  async go(guest, prober) {
    await guest.exec('sync; sh -c "sleep 0.5; kexec --exec" >/dev/null 2>&1 &');
    const account = await kernelMs(guest);
    await prober.untilAnswering(FLOOR_MS, [NETWORK]);
    return account;
  },
};

/** Waits for what its init writes on the console: nobody else can tell it from the kernel before. */
async function kernelMs(guest: Guest): Promise<{ kernelMs: number }> {
  for (const deadline = Date.now() + FLOOR_MS; Date.now() < deadline; ) {
    const [, seconds] = /floor: the network is up after ([\d.]+) s/.exec(guest.consoleTail()) ?? [];
    if (seconds !== undefined) return { kernelMs: Number(seconds) * 1000 };
    await sleep(100);
  }
  throw new LabError(`the floor's init has not said when it was done:\n${guest.consoleTail()}`);
}
