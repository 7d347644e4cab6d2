import { existsSync, readFileSync } from 'node:fs';

/** How this machine's bootloaders are told what a kernel's command line has for good. */
export interface Bootloader {
  /** update-grub(8) reads /etc/default/grub.d. */
  readonly grub: boolean;
  /** kernel-install(8) takes this for the entries that it writes: for systemd-boot, and whoever else reads them. */
  readonly kernelInstall?: { readonly commandLine: string };
}

export const GRUB_FILE = '/etc/default/grub.d/segue.cfg';
export const KERNEL_FILE = '/etc/kernel/cmdline';

/** Where entries are that kernel-install has written. The program itself is on every Debian machine. */
const ENTRIES = ['/boot/loader/entries', '/efi/loader/entries', '/boot/efi/loader/entries'];

export function readBootloader(root = ''): Bootloader {
  const there = (path: string): boolean => existsSync(`${root}${path}`);
  const grub = there('/etc/default/grub') && there('/usr/sbin/update-grub');
  const given = [KERNEL_FILE, '/usr/lib/kernel/cmdline'].find(there);
  const installs = there('/usr/bin/kernel-install') && (there(KERNEL_FILE) || ENTRIES.some(there));
  return { grub, ...(installs ? { kernelInstall: { commandLine: readFileSync(`${root}${given ?? '/proc/cmdline'}`, 'utf8') } } : {}) };
}
