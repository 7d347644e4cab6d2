import type { Guest } from '../../../lab.js';

/** The release of the newest kernel that is installed in the guest. */
export async function newestKernel(guest: Guest): Promise<string> {
  const { stdout } = await guest.exec("ls -v /boot/vmlinuz-* | tail -n 1 | sed 's,.*/vmlinuz-,,'");
  return stdout;
}

/** Loads it for kexec as Segue does, with the command line of the running one and more words. */
export async function loadKernel(guest: Guest, initrd: string, words: readonly string[] = []): Promise<void> {
  const release = await newestKernel(guest);
  const line = `$(cat /proc/cmdline)${words.map((word) => ` ${word}`).join('')}`;
  await guest.exec(`kexec --load --kexec-syscall-auto /boot/vmlinuz-${release} --initrd=${initrd.replace('RELEASE', release)} --command-line="${line}"`, { timeoutMs: LOAD_MS });
}

const LOAD_MS = 120_000;
/** Where Debian has its own. */
export const DEBIAN_INITRD = '/boot/initrd.img-RELEASE';
