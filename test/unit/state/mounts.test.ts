import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Mount, Task } from '../../../src/model/task.ts';
import { comesBack, mountsThatGo, mountThatGoes } from '../../../src/state/mounts.ts';
import { mount, openFile, task } from '../survey/builders.ts';

let sys: string;
beforeAll(() => {
  sys = mkdtempSync(join(tmpdir(), 'segue-mounts-'));
  mkdirSync(join(sys, 'dev/block'), { recursive: true });
  for (const [number, path] of [['8:2', 'pci0/sda/sda2'], ['253:0', 'virtual/block/dm-0']] as const) {
    mkdirSync(join(sys, 'devices', path), { recursive: true });
    symlinkSync(join(sys, 'devices', path), join(sys, 'dev/block', number));
  }
});
afterAll(() => rmSync(sys, { recursive: true }));

const ROOT = mount('/', { id: 1, device: '8:3', type: 'ext4' });
const UNITS = new Set(['/srv/by-unit']);
const machine = (...others: Mount[]) => ({ hostMounts: [ROOT, ...others], mountedByUnits: UNITS });

/** What a task has on a machine with these mounts. */
const goes = (using: Task, ...others: Mount[]) => mountThatGoes(using, machine(...others).hostMounts, mountsThatGo(machine(...others), sys));

describe('a mount comes back after the jump', () => {
  test.each([
    ['the root', ROOT],
    ['what systemd mounts itself', mount('/run')],
    ['a part of /proc or /sys', mount('/sys/kernel/security', { type: 'securityfs' })],
    ['the credentials of a unit', mount('/run/credentials/x.service', { type: 'ramfs' })],
    ['/dev/shm', mount('/dev/shm')],
    ['what a unit mounts', mount('/srv/by-unit', { type: 'zfs' })],
    ['a whole filesystem of a disk, by whomever', mount('/srv/data', { device: '8:2', type: 'xfs' })],
  ])('%s', (_, each) => expect(comesBack(each, { mountedByUnits: UNITS }, sys)).toBe(true));

  test.each([
    ['one of ZFS, which has a service for it', mount('/tank/www', { device: '0:50', type: 'zfs' })],
    ['one of FUSE', mount('/srv/remote', { device: '0:51', type: 'fuse.sshfs' })],
    ['a tmpfs made by hand', mount('/srv/ram')],
    ['one on LVM, made by hand', mount('/srv/lv', { device: '253:0', type: 'xfs' })],
    ['one of a disk that takes more than a mount, made by hand', mount('/srv/b', { device: '8:2', type: 'btrfs' })],
    ['a folder bound to another place', mount('/srv/www', { device: '8:3', type: 'ext4', root: '/home/www' })],
    ["a session's", mount('/run/user/1000')],
  ])('but not %s', (_, each) => expect(comesBack(each, { mountedByUnits: UNITS }, sys)).toBe(false));
});

describe('a task uses a mount that goes', () => {
  const zfs = mount('/tank/www', { id: 30, device: '0:50', type: 'zfs' });
  const inHost = (parts: Partial<Task>) => task(4000, { mounts: [ROOT, zfs], ...parts });

  test.each([
    ['a file that it has open', inHost({ files: [openFile({ target: '/tank/www/log', mountId: 30 })] })],
    ['its working directory', inHost({ paths: ['/tank/www'] })],
    ['a library', inHost({ paths: ['/usr/bin/x', '/tank/www/lib/x.so'] })],
    ['a file in a sandbox that has it at another place', task(4000, { mounts: [{ ...ROOT, id: 70 }, { ...zfs, id: 71, path: '/srv' }], files: [openFile({ target: '/srv/log', mountId: 71 })] })],
  ])('%s', (_, using) => expect(goes(using, zfs)).toBe(zfs));

  test.each([
    ['it uses others', inHost({ files: [openFile({ target: '/tank/www-old/x', mountId: 1 })], paths: ['/', '/tank/www-old', '/tank'] })],
    ['a socket has no mount of the machine', inHost({ files: [openFile({ target: 'socket:[1]', kind: 'other', mountId: 30 })] })],
    ['its sandbox has a tmpfs of its own there', task(4000, { mounts: [{ ...ROOT, id: 70 }, mount('/tank/www', { id: 71, device: '0:99' })], paths: ['/tank/www/x'], files: [openFile({ mountId: 71 })] })],
  ])('not when %s', (_, using) => expect(goes(using, zfs)).toBeUndefined());

  test('not a folder that is bound to where it is', () => {
    const bound = mount('/var/lib/plugins', { id: 30, device: '8:3', type: 'ext4', root: '/var/lib/plugins' });
    expect(goes(task(4000, { mounts: [ROOT, bound], paths: ['/var/lib/plugins/x'] }), bound)).toBeUndefined();
  });

  test('not what is mounted by a unit as well', () => {
    const also = mount('/srv/by-unit', { device: '0:50', type: 'zfs' });
    const using = task(4000, { mounts: [ROOT, { ...zfs, id: 71, path: '/srv' }], paths: ['/srv/x'] });
    expect(goes(using, zfs, also)).toBeUndefined();
  });
});
