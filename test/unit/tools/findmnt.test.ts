import fc from 'fast-check';
import { expect, test } from 'vitest';
import { mountable, tableOfMounts } from '../../../src/state/filesystems.ts';
import { parseMounts } from '../../../src/tools/findmnt.ts';
import { fixture } from '../../fixtures/fixture.ts';
import { damaged } from '../damaged.ts';
import { mount } from '../survey/builders.ts';
import { valueOf } from '../value-of.ts';

const mounted = valueOf(parseMounts(fixture('findmnt/server.json')));

test('every mount of a real machine is read', () => {
  expect(mounted).toHaveLength(fixture('findmnt/server.json').match(/"target"/g)!.length);
  expect(mounted.find(({ path }) => path === '/')).toEqual({ path: '/', type: 'ext4', options: 'rw,relatime,errors=remount-ro' });
});

test('what every boot mounts is listed as fstab(5) has it; what systemd itself mounts, or makes later, is not', () => {
  const hostMounts = mounted.map(({ path, type }) => mount(path, { type, ...(path === '/' ? { device: '254:0' } : {}) }));
  expect(tableOfMounts(mounted, mountable({ hostMounts, mountedByUnits: new Set() }, [])!)).toMatchInlineSnapshot(`
    "tmpfs /dev/shm tmpfs rw,nosuid,nodev,inode64,X-mount.mkdir 0 0
    mqueue /dev/mqueue mqueue rw,nosuid,nodev,noexec,relatime,X-mount.mkdir 0 0
    hugetlbfs /dev/hugepages hugetlbfs rw,nosuid,nodev,relatime,pagesize=2M,X-mount.mkdir 0 0
    debugfs /sys/kernel/debug debugfs rw,nosuid,nodev,noexec,relatime,X-mount.mkdir 0 0
    tmpfs /run/lock tmpfs rw,nosuid,nodev,noexec,relatime,size=5120k,inode64,X-mount.mkdir 0 0
    tmpfs /tmp tmpfs rw,nosuid,nodev,nr_inodes=1048576,inode64,X-mount.mkdir 0 0
    tracefs /sys/kernel/tracing tracefs rw,nosuid,nodev,noexec,relatime,X-mount.mkdir 0 0
    fusectl /sys/fs/fuse/connections fusectl rw,nosuid,nodev,noexec,relatime,X-mount.mkdir 0 0
    configfs /sys/kernel/config configfs rw,nosuid,nodev,noexec,relatime,X-mount.mkdir 0 0
    "
  `);
});

test('of damaged output every mount is read, or none', () => {
  fc.assert(
    fc.property(damaged(fixture('findmnt/server.json')), (text) => {
      const result = parseMounts(text);
      if (!result.ok) {
        expect(result.failure).toMatchObject({ reason: 'output-unreadable', command: 'findmnt --json --list --kernel --output TARGET,FSTYPE,OPTIONS' });
        return;
      }
      expect(result.value).toHaveLength((JSON.parse(text) as { filesystems: unknown[] }).filesystems.length);
    }),
  );
});
