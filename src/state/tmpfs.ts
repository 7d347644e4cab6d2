import { statfsSync } from 'node:fs';
import { ok } from '../failure/result.ts';
import type { Step } from '../model/step.ts';
import type { Survey } from '../model/survey.ts';
import type { Mount } from '../model/task.ts';
import type { Workload } from '../model/workload.ts';
import { limitSeconds } from '../tools/criu.ts';
import { show } from '../tools/systemctl.ts';
import { archive, archiveName } from '../tools/tar.ts';
import type { StateKind } from './kind.ts';

/**
 * What in /run is made by the boot itself, or by a part of the platform that starts afresh: shell patterns, as files come
 * and go until the archive is made. CRIU's cache of kernel features (criu.kdat) is the old kernel's: with it a restore on
 * another kernel crashes.
 */
const RUN_OF_THE_PLATFORM = [
  'systemd', 'udev', 'log', 'user', 'dbus', 'credentials', 'lock', 'initctl', 'mount', 'utmp', 'motd*', 'sshd*', 'ssh-unix-local', 'network', 'NetworkManager', 'resolvconf', 'netns',
  'tmpfiles.d', 'host', 'initramfs', 'blkid', 'cryptsetup', 'lvm', 'mdadm', 'criu*', 'segue', 'agetty.reload', 'console-setup', 'cloud-init', 'nscd', 'polkit-1', 'reboot-required*', 'fsck',
  'kexec*', 'rpc*', 'docker*', 'containerd*', 'crun', 'runc', 'libpod', 'containers', 'multipath*', 'dmeventd*', 'udisks2', 'chrony', 'rsyslogd.pid', 'machine-id', 'nologin',
  'shm', 'sendsigs.omit.d', 'setrans',
];
/** In /tmp: folders of PrivateTmp=, which come back with their units, and of a display. */
const TMP_OF_THE_PLATFORM = ['systemd-private-*', '.X*', '.ICE-unix', '.font-unix', '.XIM-unix', 'ssh-*'];

/** A shell pattern with no more than `*` in it. */
export const matches = (name: string, pattern: string): boolean => new RegExp(`^${pattern.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&')).join('.*')}$`, 's').test(name);

/** Names in /run that a workload uses: by its unit's word, and by what its tasks hold. */
function namesInRun({ properties, trees }: Workload): string[] {
  const held = trees.flatMap(({ tasks }) => tasks.flatMap((task) => task.files.map((file) => /^(?:\/var)?\/run\/([^/]+)/.exec(file.target)?.[1] ?? '')));
  return [...(properties['RuntimeDirectory'] ?? '').split(' '), (properties['PIDFile'] ?? '').replace(/^\/run\//, ''), ...held].filter(Boolean);
}

/** The machine's own, and those of the administrator: what a program has mounted for itself it mounts again. Of several at one place the last is seen. */
const archivedTmpfs = ({ hostMounts, mountedByUnits }: Pick<Survey, 'hostMounts' | 'mountedByUnits'>): Mount[] =>
  hostMounts.filter(({ path, type, root }, at) => hostMounts.findLastIndex((other) => other.path === path) === at && type === 'tmpfs' && root === '/' && (['/run', '/run/lock', '/dev/shm', '/tmp'].includes(path) || mountedByUnits.has(path)));

function usedBytes(path: string): number {
  try {
    const { bsize, blocks, bfree } = statfsSync(path);
    return (blocks - bfree) * bsize;
  } catch {
    return 0; // it was unmounted meanwhile
  }
}

/** What is in them, bytes. */
export const tmpfsBytes = (survey: Survey): number =>
  archivedTmpfs(survey).reduce((sum, { path }) => sum + usedBytes(path), 0);

/**
 * Files on filesystems that the old kernel takes with it. Archived when everything is parked, so that they belong to
 * the images; a file that the new boot has already made wins over the old one.
 */
export const tmpfs: StateKind = {
  name: 'files on tmpfs',
  async carry({ paths, survey, carried }) {
    const steps: Step[] = [];
    const list: string[] = [];

    // Folders and pid files of what is started afresh would only confuse it.
    const units = await show(survey.afresh.map(({ unit }) => unit), ['RuntimeDirectory', 'PIDFile']);
    if (!units.ok) return units;
    const ofAfresh = units.value.flatMap((unit) => [...(unit['RuntimeDirectory'] ?? '').split(' '), (unit['PIDFile'] ?? '').replace(/^\/run\//, '')]).filter(Boolean);
    const ofCarried = new Set(carried.flatMap(namesInRun));

    const left: Readonly<Record<string, readonly string[]>> = {
      '/run': [...RUN_OF_THE_PLATFORM, ...ofAfresh].filter((pattern) => ![...ofCarried].some((name) => matches(name, pattern))),
      '/tmp': TMP_OF_THE_PLATFORM,
    };
    for (const { path } of archivedTmpfs(survey)) {
      const file = archiveName(path);
      list.push(`${file} ${path}`);
      steps.push({ phase: 'park', title: `archive ${path}`, lane: { of: 'ends', name: path }, action: { kind: 'run', argv: archive(path, `${paths.state}/${file}`, left[path]), limitSeconds: limitSeconds(usedBytes(path)) } });
    }
    steps.push({ phase: 'prepare', title: 'list the archives', action: { kind: 'write', path: `${paths.state}/tmpfs`, content: list.map((line) => `${line}\n`).join('') } });
    return ok(steps);
  },
};
