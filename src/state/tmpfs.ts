import { readdirSync } from 'node:fs';
import type { Step } from '../plan/step.ts';
import { show } from '../tools/systemctl.ts';
import { archive } from '../tools/tar.ts';
import type { StateKind } from './kind.ts';

/** What in /run is made by the boot itself, or by a part of the platform that starts afresh. */
const RUN_OF_THE_PLATFORM = /^(systemd|udev|log|user|dbus|credentials|lock|initctl|mount|utmp|motd.*|sshd.*|ssh-unix-local|network|NetworkManager|resolvconf|netns|tmpfiles\.d|host|initramfs|blkid|cryptsetup|lvm|mdadm|criu.*|segue|agetty\.reload|console-setup|cloud-init|nscd|polkit-1|reboot-required.*|fsck|kexec.*|rpc.*|docker.*|containerd.*|crun|runc|libpod|containers|multipath.*|dmeventd.*|udisks2|crond?\.(pid|reboot)|chrony|rsyslogd\.pid|machine-id|nologin|shm)$/;
/** In /tmp: folders of PrivateTmp=, which come back with their units, and of a display. */
const TMP_OF_THE_PLATFORM = /^(systemd-private-.*|\.X.*|\.ICE-unix|\.font-unix|\.XIM-unix|ssh-.*)$/;

/**
 * Files on filesystems that the old kernel takes with it. Archived when everything is parked, so that they belong to
 * the images; a file that the new boot has already made wins over the old one.
 */
export const tmpfs: StateKind = {
  name: 'files on tmpfs',
  async carry({ paths, survey, carried }) {
    const mounts = survey.hostMounts.filter((mount) => mount.type === 'tmpfs' && mount.root === '/');
    const steps: Step[] = [];
    const list: string[] = [];

    // Folders and pid files of what is started afresh would only confuse it.
    const units = await show(survey.afresh.map(({ unit }) => unit), ['RuntimeDirectory', 'PIDFile']);
    const ofAfresh = new Set(units.ok ? units.value.flatMap((unit) => [...(unit['RuntimeDirectory'] ?? '').split(' '), (unit['PIDFile'] ?? '').replace(/^\/run\//, '')]) : []);
    const carriedPidFiles = new Set(carried.map(({ properties }) => (properties['PIDFile'] ?? '').replace(/^\/run\//, '')));

    for (const { path, skip } of [
      { path: '/run', skip: (name: string) => (RUN_OF_THE_PLATFORM.test(name) || ofAfresh.has(name)) && !carriedPidFiles.has(name) },
      { path: '/run/lock', skip: () => false },
      { path: '/dev/shm', skip: () => false },
      { path: '/tmp', skip: (name: string) => TMP_OF_THE_PLATFORM.test(name) },
    ]) {
      if (!mounts.some((mount) => mount.path === path)) continue;
      const left = readdirSync(path).filter(skip);
      const file = `${path.slice(1).replaceAll('/', '-')}.tar`;
      list.push(`${path} ${file}`);
      steps.push({ phase: 'park', title: `archive ${path}`, action: { kind: 'run', argv: archive(path, `${paths.state}/${file}`, left) } });
    }
    steps.push({ phase: 'prepare', title: 'list the archives', action: { kind: 'write', path: `${paths.state}/tmpfs`, content: list.map((line) => `${line}\n`).join('') } });
    return steps;
  },
};
