import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { ok } from '../failure/result.ts';
import type { Step } from '../model/step.ts';
import type { Mount } from '../model/task.ts';
import { mounts, type MountedAt } from '../tools/findmnt.ts';
import { blockDevices, type BlockDevice } from '../tools/lsblk.ts';
import type { StateKind } from './kind.ts';

/** Filesystems of other machines (proc_filesystems(5)). */
const REMOTE = /^(nfs4?|cifs|smb3|ceph|glusterfs|9p|fuse\.(sshfs|glusterfs|ceph))$/;

/** What units of systemd mount in every boot, besides what systemd itself has mounted by then: boot/early can do it as well. */
const OF_THE_BOOT = ['/dev/hugepages', '/dev/mqueue', '/dev/shm', '/run/lock', '/sys/fs/fuse/connections', '/sys/kernel/config', '/sys/kernel/debug', '/sys/kernel/tracing', '/tmp'];

/** Filesystems that are whole when everything was written to the disk: nothing has to look at them before the mount. */
const WHOLE = ['ext4', 'vfat', 'xfs'];

/** For `mount --all --fstab`, in the order in which they were made; `uuids` are those of filesystems on devices, by their path. */
export const tableOfMounts = (mounted: readonly MountedAt[], uuids: ReadonlyMap<string, string> = new Map()): string =>
  mounted
    .filter(({ path, type }) => type !== 'autofs' && (OF_THE_BOOT.includes(path) || uuids.has(path)))
    .map(({ path, type, options }) => `${uuids.has(path) ? `UUID=${uuids.get(path) ?? ''}` : type} ${path.replaceAll(/[\s\\#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`)} ${type} ${options},X-mount.mkdir 0 0\n`)
    .join('');

/** By its path, the UUID of each filesystem on a device; undefined if one of them takes more than a mount to be there. */
export function mountable(onDevices: readonly Mount[], devices: readonly BlockDevice[], sys = '/sys'): ReadonlyMap<string, string> | undefined {
  const uuids = new Map<string, string>();
  for (const { device, path, root, type } of onDevices) {
    const known = devices.filter(({ number }) => number === device);
    const uuid = known[0]?.uuid;
    if (uuid === undefined || devices.some((other) => other.uuid === uuid && other.number !== device)) return undefined;
    if (!WHOLE.includes(type) || root !== '/' || !isDisk(`${sys}/dev/block/${device}`)) return undefined;
    const errors = `${sys}/fs/ext4/${known[0]?.name ?? ''}/errors_count`;
    if (type === 'ext4' && (!existsSync(errors) || readFileSync(errors, 'utf8').trim() !== '0')) return undefined;
    uuids.set(path, uuid);
  }
  return uuids;
}

/** No device that somebody has to set up first, as LVM, RAID and loops are. */
const isDisk = (path: string): boolean => existsSync(path) && !realpathSync(path).includes('/devices/virtual/');

/**
 * Filesystems besides the root: they are mounted before the first workload is restored. boot/early tries it; what it cannot
 * reach waits for systemd, and on devices for udev, which the restore can otherwise do without.
 */
export const filesystems: StateKind = {
  name: 'filesystems',
  async carry({ paths, survey }) {
    const others = survey.hostMounts.filter(({ path }) => path !== '/' && path !== paths.handover);
    const onDevices = others.filter(({ device }) => !device.startsWith('0:'));
    const isRemote = others.some(({ type }) => REMOTE.test(type));
    const wanted = [
      ...(onDevices.length > 0 ? ['systemd-udevd.service', 'systemd-udev-trigger.service'] : []),
      ...(isRemote ? ['remote-fs.target'] : []),
    ];
    const steps: Step[] = [];
    if (wanted.length > 0) steps.push({ phase: 'prepare', title: 'wait for the filesystems besides the root', action: { kind: 'write', path: `${paths.units}/segue-mounts.target.d/filesystems.conf`, content: `[Unit]\nWants=${wanted.join(' ')}\nAfter=${wanted.join(' ')}\n` } });
    const devices = await blockDevices();
    if (!devices.ok) return devices;
    const uuids = isRemote ? undefined : mountable(onDevices, devices.value);
    if (uuids === undefined) return ok(steps);
    const mounted = await mounts();
    if (!mounted.ok) return mounted;
    return ok([...steps, { phase: 'prepare', title: 'list what is mounted before anything else', action: { kind: 'write', path: `${paths.state}/mounts`, content: tableOfMounts(mounted.value, uuids) } }]);
  },
};
