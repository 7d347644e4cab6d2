import { ok } from '../failure/result.ts';
import type { Step } from '../model/step.ts';
import { mounts, type MountedAt } from '../tools/findmnt.ts';
import type { StateKind } from './kind.ts';

/** Filesystems of other machines (proc_filesystems(5)). */
const REMOTE = /^(nfs4?|cifs|smb3|ceph|glusterfs|9p|fuse\.(sshfs|glusterfs|ceph))$/;

/** What units of systemd mount in every boot, besides what systemd itself has mounted by then: boot/early can do it as well. */
const OF_THE_BOOT = ['/dev/hugepages', '/dev/mqueue', '/dev/shm', '/run/lock', '/sys/fs/fuse/connections', '/sys/kernel/config', '/sys/kernel/debug', '/sys/kernel/tracing', '/tmp'];

/** For `mount --all --fstab`, in the order in which they were made. */
export const tableOfTheBoot = (mounted: readonly MountedAt[]): string =>
  mounted
    .filter(({ path, type }) => OF_THE_BOOT.includes(path) && type !== 'autofs')
    .map(({ path, type, options }) => `${type} ${path} ${type} ${options},X-mount.mkdir 0 0\n`)
    .join('');

/**
 * Filesystems besides the root: they are mounted before the first workload is restored. Those on devices wait for udev,
 * which the restore can otherwise do without; where there are none, nothing has to wait for systemd.
 */
export const filesystems: StateKind = {
  name: 'filesystems',
  async carry({ paths, survey }) {
    const others = survey.hostMounts.filter(({ path }) => path !== '/' && path !== paths.handover);
    const wanted = [
      ...(others.some(({ device }) => !device.startsWith('0:')) ? ['systemd-udevd.service', 'systemd-udev-trigger.service'] : []),
      ...(others.some(({ type }) => REMOTE.test(type)) ? ['remote-fs.target'] : []),
    ];
    if (wanted.length > 0) return ok<Step[]>([{ phase: 'prepare', title: 'wait for the filesystems besides the root', action: { kind: 'write', path: `${paths.units}/segue-mounts.target.d/filesystems.conf`, content: `[Unit]\nWants=${wanted.join(' ')}\nAfter=${wanted.join(' ')}\n` } }]);
    const mounted = await mounts();
    if (!mounted.ok) return mounted;
    return ok<Step[]>([{ phase: 'prepare', title: 'list what every boot mounts', action: { kind: 'write', path: `${paths.state}/mounts`, content: tableOfTheBoot(mounted.value) } }]);
  },
};
