import { ok } from '../failure/result.ts';
import type { StateKind } from './kind.ts';

/** Filesystems of other machines (proc_filesystems(5)). */
const REMOTE = /^(nfs4?|cifs|smb3|ceph|glusterfs|9p|fuse\.(sshfs|glusterfs|ceph))$/;

/**
 * Filesystems besides the root: they are mounted before the first workload is restored. Those on devices wait for udev,
 * which the restore can otherwise do without.
 */
export const filesystems: StateKind = {
  name: 'filesystems',
  carry({ paths, survey }) {
    const others = survey.hostMounts.filter(({ path }) => path !== '/' && path !== paths.handover);
    const wanted = [
      ...(others.some(({ device }) => !device.startsWith('0:')) ? ['systemd-udevd.service', 'systemd-udev-trigger.service'] : []),
      ...(others.some(({ type }) => REMOTE.test(type)) ? ['remote-fs.target'] : []),
    ];
    if (wanted.length === 0) return Promise.resolve(ok([]));
    return Promise.resolve(ok([{ phase: 'prepare', title: 'wait for the filesystems besides the root', action: { kind: 'write', path: `${paths.units}/segue-state.service.d/filesystems.conf`, content: `[Unit]\nWants=${wanted.join(' ')}\nAfter=${wanted.join(' ')}\n` } }]));
  },
};
