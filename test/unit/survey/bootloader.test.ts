import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readBootloader } from '../../../src/survey/bootloader.ts';

let root: string;
beforeEach(() => { root = mkdtempSync(join(tmpdir(), 'segue-bootloader-')); write('/proc/cmdline', 'root=/dev/vda ro\n'); });
afterEach(() => { rmSync(root, { recursive: true }); });

function write(path: string, content = ''): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

test('a machine whose kernel comes from elsewhere has none', () => {
  // On Debian it is there, with systemd, whatever the bootloader.
  write('/usr/bin/kernel-install');
  expect(readBootloader(root)).toEqual({ grub: false });
});

test('GRUB is there when it can be configured', () => {
  write('/etc/default/grub');
  expect(readBootloader(root)).toEqual({ grub: false });
  write('/usr/sbin/update-grub');
  expect(readBootloader(root)).toEqual({ grub: true });
});

test('kernel-install is used where it has written entries, with the command line that it takes', () => {
  write('/usr/bin/kernel-install');
  write('/efi/loader/entries/a.conf');
  expect(readBootloader(root)).toEqual({ grub: false, kernelInstall: { commandLine: 'root=/dev/vda ro\n' } });
  write('/usr/lib/kernel/cmdline', 'vendor\n');
  expect(readBootloader(root).kernelInstall).toEqual({ commandLine: 'vendor\n' });
  write('/etc/kernel/cmdline', 'own\n');
  expect(readBootloader(root).kernelInstall).toEqual({ commandLine: 'own\n' });
});
