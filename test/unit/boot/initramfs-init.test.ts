import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const HOOK = 'root/usr/lib/segue/early';

/** Every program that the script calls tells how it was called. */
const PROGRAMS: Readonly<Record<string, string>> = { mount: '', insmod: '', findfs: 'echo /dev/vda', reboot: 'kill $PPID', sleep: '', switch_root: '', mkdir: '', mv: '', chroot: '' };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'segue-init-'));
  for (const name of ['bin', 'segue', 'dev', 'root/dev', 'root/usr/lib/segue']) mkdirSync(join(folder, name), { recursive: true });
  for (const [name, rest] of Object.entries(PROGRAMS)) program(name, rest);
  write('dev/kmsg', '');
  write('root/dev/console', '');
  write('root/dev/null', '');
  write('segue/root', '1234-ABCD ext4 rw,data=journal /sbin/init noexec,size=400976k\n');
  write('segue/modules.root', 'virtio_blk.ko\nnvme.ko poll_queues=2 write_queues=1\n');
  write('segue/key-1', 'a key');
  write('segue/modules.network', 'virtio_net.ko\n');
});
afterEach(() => { rmSync(folder, { recursive: true }); });

const write = (name: string, content: string, mode = 0o644): void => { writeFileSync(join(folder, name), content, { mode }); };
const program = (name: string, rest: string): void => { write(`bin/${name}`, `#!/bin/sh\necho "${name} $*" >>"${folder}/called"\n${rest}\n`, 0o755); };

/** What was called, with the script's root folder in a folder of its own. */
function start(...args: string[]): { called: string[]; said: string } {
  const script = readFileSync('boot/initramfs-init', 'utf8').replaceAll(/(?<=[\s"=<>])\/(?=(bin|dev|proc|sys|run|root|modules|segue)\b)/g, `${folder}/`);
  spawnSync('sh', ['-c', script, 'init', ...args], { encoding: 'utf8' });
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8').replaceAll(folder, '');
  return { called: read('called').trim().split('\n'), said: read('dev/kmsg') };
}

test('the modules are loaded in order, the root filesystem is mounted, and systemd takes over', () => {
  expect(start('--verbose').called).toEqual([
    'mount -t devtmpfs -o nosuid,mode=0755 udev /dev',
    'mount -t proc -o nosuid,nodev,noexec proc /proc',
    'mount -t sysfs -o nosuid,nodev,noexec sysfs /sys',
    'mkdir /dev/segue',
    'mount -t ramfs -o mode=0700,nosuid,nodev,noexec segue /dev/segue',
    'mv /segue/key-1 /dev/segue/',
    'mount -t tmpfs -o nosuid,nodev,mode=0755,noexec,size=400976k tmpfs /run',
    'insmod /modules/virtio_blk.ko',
    'insmod /modules/nvme.ko poll_queues=2 write_queues=1',
    'findfs UUID=1234-ABCD',
    'mount -t ext4 -o rw,data=journal /dev/vda /root',
    'insmod /modules/virtio_net.ko',
    'mount --move /dev /root/dev',
    'mount --move /proc /root/proc',
    'mount --move /sys /root/sys',
    'mount --move /run /root/run',
    'switch_root /root /sbin/init --verbose',
  ]);
});

test('where nothing needs a key there is no place for one', () => {
  rmSync(join(folder, 'segue/key-1'));
  expect(start().called.filter((line) => line.includes('/dev/segue'))).toEqual([]);
});

test('a module that does not load is told, and need not be missed', () => {
  program('insmod', 'case $1 in *nvme*) exit 1 ;; esac');
  const { called, said } = start();
  expect(said).toContain('<5>segue: nvme.ko was not loaded\n');
  expect(called.at(-1)).toBe('switch_root /root /sbin/init');
});

test('a disk that comes late is waited for', () => {
  program('findfs', `[ "$(grep -c findfs "${folder}/called")" -ge 3 ] && echo /dev/vda`);
  const { called } = start();
  expect(called.filter((line) => line.startsWith('findfs'))).toHaveLength(3);
  expect(called.at(-1)).toBe('switch_root /root /sbin/init');
});

test('without its root filesystem the machine starts anew, by its bootloader', () => {
  program('findfs', 'exit 1');
  const { called, said } = start();
  expect(called.at(-1)).toBe('reboot -f');
  expect(called.filter((line) => line === 'sleep 0.05')).toHaveLength(599);
  expect(said).toBe('<5>segue: there is no filesystem 1234-ABCD: the machine starts anew\n');
});

test('so it does when that cannot be mounted', () => {
  program('mount', 'case $2 in ext4) exit 1 ;; esac');
  const { called, said } = start();
  expect(called.at(-1)).toBe('reboot -f');
  expect(said).toContain('/dev/vda cannot be mounted: the machine starts anew\n');
});

test('the early hook runs once all is mounted', () => {
  write(HOOK, '', 0o755);
  const { called } = start();
  expect(called.slice(-2)).toEqual(['chroot /root /usr/lib/segue/early', 'switch_root /root /sbin/init']);
});

test('an early hook that fails does not stop the boot', () => {
  write(HOOK, '', 0o755);
  program('chroot', 'echo "<2>segue: no lock"; exit 3');
  const { called, said } = start();
  expect(called.at(-1)).toBe('switch_root /root /sbin/init');
  expect(said).toContain('<2>segue: no lock\n<5>segue: /usr/lib/segue/early ended with 3\n');
});
