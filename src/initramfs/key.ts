import { existsSync } from 'node:fs';
import { display } from '../tools/command.ts';
import { MEMORY, type Vault } from '../tools/vault.ts';

/** The initramfs with the key in front of it, in memory until the kernel has it. */
export const withKey = ({ key }: Vault): string => `${key}.initramfs`;

/**
 * What initramfs-tools(7) reads before it does anything else: the key goes where boot/initramfs-init puts it as well. /run
 * is not there yet.
 */
const HAND_ON = `mkdir -m 0700 ${MEMORY} && mount -t ramfs -o mode=0700,nosuid,nodev,noexec segue ${MEMORY} && (umask 077; for key in /segue/key-*; do cat "$key" >"${MEMORY}/\${key##*/}"; done)`;

/** Whether the installed initramfs is of a kind that does so. */
export const isHandedOn = (root = ''): boolean => existsSync(`${root}/usr/share/initramfs-tools/init`);

/**
 * A shell script that puts the key in front of an initramfs, as an archive of its own: the kernel unpacks one after the
 * other (Documentation/driver-api/early-userspace/buffer-format.rst). Nothing of it touches a disk.
 */
export function keyScript(vault: Vault, initramfs: string): string {
  const front = `${vault.key}.front`;
  const file = display([withKey(vault)]);
  return [
    'umask 077',
    display(['rm', '-rf', front]),
    display(['mkdir', '-p', `${front}/segue`, `${front}/conf/conf.d`]),
    display(['cd', front]),
    display(['cp', vault.key, 'segue/']),
    `${display(['printf', '%s\\n', HAND_ON])} >conf/conf.d/segue`,
    `find segue conf | cpio --create --format=newc --owner=0:0 --quiet >${file}`,
    'cd /',
    display(['rm', '-r', front]),
    `${display(['cat', initramfs])} >>${file}`,
    '',
  ].join('\n');
}
