import type { Guest } from '../../../lab.js';
import type { Prober } from '../prober/prober.js';
import { DEBIAN_INITRD, loadKernel } from './newest.js';
import type { Way } from './way.js';

/** A new kernel takes at least so long to answer anybody; one that is emulated may well be as silent for no reason. */
const SILENT_MS = { kvm: 100, tcg: 1000 };
const BOOT_MS = 1_800_000;

/** Gives a command that ends the running kernel, and waits for the services on the next. */
export async function leaveBy(command: string, guest: Guest, prober: Prober): Promise<void> {
  const before = await guest.bootId();
  // The connection may be gone before the command has ended.
  await guest.exec(command, { reject: false, timeoutMs: 20_000 });
  // ssh comes last: its login would take time from the services.
  await prober.untilBack(SILENT_MS[guest.record.accelerator], BOOT_MS);
  await guest.waitForSsh({ afterBootId: before, timeoutMs: BOOT_MS });
  await prober.untilAnswering(BOOT_MS);
}

export const reboot: Way = {
  what: 'systemctl reboot (QEMU loads the kernel: there is no firmware to wait for)',
  async go(guest, prober) {
    await leaveBy('systemctl --no-block reboot', guest, prober);
    return {};
  },
};

export const kexec: Way = {
  what: "systemctl kexec, with Debian's initrd",
  prepare: (guest) => loadKernel(guest, DEBIAN_INITRD),
  async go(guest, prober) {
    await leaveBy('systemctl --no-block kexec', guest, prober);
    return {};
  },
};
