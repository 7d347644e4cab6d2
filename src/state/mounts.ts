import { existsSync, realpathSync } from 'node:fs';
import type { Survey } from '../model/survey.ts';
import type { Mount, Task } from '../model/task.ts';

/** Mounted by systemd itself or by the kernel, or for a unit or a session whenever it begins. */
const OF_SYSTEMD = /^\/(dev|proc|run|sys|run\/credentials\/.*)$|^\/(dev|proc|sys)\//;

/** What units of systemd mount in every boot, besides what systemd itself has mounted by then: boot/early can do it as well. */
export const OF_THE_BOOT = ['/dev/hugepages', '/dev/mqueue', '/dev/shm', '/run/lock', '/sys/fs/fuse/connections', '/sys/kernel/config', '/sys/kernel/debug', '/sys/kernel/tracing', '/tmp'];

/** Filesystems that are whole when everything was written to the disk: nothing has to look at them before the mount. */
const WHOLE = ['ext4', 'vfat', 'xfs'];

/** Filesystems of other machines (proc_filesystems(5)). */
const REMOTE = /^(9p|afs|ceph|cifs|gfs2|glusterfs|lustre|nfs4?|ocfs2|orangefs|smb3|fuse\.(sshfs|glusterfs|ceph))$/;
export const isRemote = ({ type }: Mount): boolean => REMOTE.test(type);
/** Whoever asks for a file there asks a server, or a program, that may not answer; and others may change the file there. */
export const isServed = (mount: Mount): boolean => isRemote(mount) || /^(fuse(blk|\..*)?|virtiofs)$/.test(mount.type);

export const isOnDevice = ({ device }: Mount): boolean => !device.startsWith('0:');

/** No device that somebody has to set up first, as LVM, RAID and loops are. */
function isOnDisk({ device }: Mount, sys = '/sys'): boolean {
  const path = `${sys}/dev/block/${device}`;
  return existsSync(path) && !realpathSync(path).includes('/devices/virtual/');
}

/** A whole filesystem of a disk: it can be mounted again, whoever has mounted it. */
export const isWholeOnDisk = (mount: Mount, sys?: string): boolean => isOnDevice(mount) && mount.root === '/' && WHOLE.includes(mount.type) && isOnDisk(mount, sys);

/** Whether a mount of the machine is there again after the jump, when the workloads are restored: nobody has made it for himself. */
export const comesBack = (mount: Mount, { mountedByUnits }: Pick<Survey, 'mountedByUnits'>, sys?: string): boolean =>
  mount.path === '/' || OF_SYSTEMD.test(mount.path) || OF_THE_BOOT.includes(mount.path) || mountedByUnits.has(mount.path) || isWholeOnDisk(mount, sys);

/** A folder that is bound to where it is: without the mount the same files are there, if those of the filesystem are. */
const isWhereItIs = ({ path, root, device }: Mount, whole: Mount): boolean =>
  whole.device === device && whole.root === '/' && path === `${whole.path === '/' ? '' : whole.path}${root}`;

/** The mount that a path of a task leads to. */
function mountOf({ mounts }: Task, path: string): Mount | undefined {
  const above = mounts.filter((mount) => mount.path === '/' || path === mount.path || path.startsWith(`${mount.path}/`));
  return above.reduce<Mount | undefined>((deepest, mount) => (deepest === undefined || mount.path.length >= deepest.path.length ? mount : deepest), undefined);
}

/** The mounts of the machine that nothing makes again, and whose files are not there without them. */
export function mountsThatGo(machine: Pick<Survey, 'hostMounts' | 'mountedByUnits'>, sys?: string): Mount[] {
  const coming = machine.hostMounts.filter((mount) => comesBack(mount, machine, sys));
  return machine.hostMounts.filter((mount) => !coming.includes(mount) && !coming.some((whole) => isWhereItIs(mount, whole)));
}

/** The mounts on which the task has a file, its program or its working directory. */
function mountsUsed(task: Task): Mount[] {
  const used = [
    ...task.files.filter(({ kind }) => kind !== 'other').map(({ mountId }) => task.mounts.find(({ id }) => id === mountId)),
    ...task.paths.map((path) => mountOf(task, path)),
  ];
  return [...new Set(used)].filter((mount) => mount !== undefined);
}

/** Those of servers; a machine mostly has none. */
export const servedMounts = (task: Task): Mount[] => (task.mounts.some(isServed) ? mountsUsed(task).filter(isServed) : []);

/** One that goes of those that it uses. */
export function mountThatGoes(task: Task, hostMounts: readonly Mount[], going: readonly Mount[]): Mount | undefined {
  if (going.length === 0) return undefined;
  for (const mount of mountsUsed(task)) {
    const there = hostMounts.filter(({ device }) => device === mount.device);
    const same = there.filter(({ path }) => path === mount.path);
    // In a sandbox a filesystem of the machine may be at another place: systemd has it from any of its own.
    const sources = same.length > 0 ? same : there;
    if (sources.length > 0 && sources.every((source) => going.includes(source))) return sources[0];
  }
  return undefined;
}
