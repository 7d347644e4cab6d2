import { existsSync, readFileSync } from 'node:fs';
import { ok } from '../failure/result.ts';
import type { Step } from '../model/step.ts';
import type { Survey } from '../model/survey.ts';
import type { Mount } from '../model/task.ts';
import { isOnDevice, isRemote, isWholeOnDisk, OF_THE_BOOT } from './mounts.ts';
import { mounts, type MountedAt } from '../tools/findmnt.ts';
import { blockDevices, type BlockDevice } from '../tools/lsblk.ts';
import type { StateKind } from './kind.ts';

/** What it takes to mount something again, in the words of fstab(5). */
export interface Source {
  readonly source: string;
  readonly type: string;
  /** Besides those that it has. */
  readonly options?: string;
}

const escaped = (path: string): string => path.replaceAll(/[\s\\#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);

/** For `mount --all --fstab`, in the order in which they were made; `sources` are those of mounts by their path. */
export const tableOfMounts = (mounted: readonly MountedAt[], sources: ReadonlyMap<string, Source>): string =>
  mounted
    .flatMap(({ path, type, options }) => {
      const found = sources.get(path);
      // An automount has the path of what it mounts.
      return found === undefined || type === 'autofs' ? [] : `${escaped(found.source)} ${escaped(path)} ${found.type} ${options},${found.options === undefined ? '' : `${found.options},`}X-mount.mkdir 0 0\n`;
    })
    .join('');

/** How to mount, by its path, each of the machine's filesystems that is there after a boot; undefined if one of them takes more than a mount. */
export function mountable({ hostMounts, mountedByUnits }: Pick<Survey, 'hostMounts' | 'mountedByUnits'>, devices: readonly BlockDevice[], sys = '/sys'): ReadonlyMap<string, Source> | undefined {
  const sources = new Map<string, Source>();
  for (const mount of hostMounts) {
    const { device, path, root, type } = mount;
    if (path === '/' || type === 'autofs') continue;
    if (OF_THE_BOOT.includes(path)) sources.set(path, { source: type, type });
    // Who has made it makes it again, or nobody does.
    else if (!mountedByUnits.has(path) && !isWholeOnDisk(mount, sys)) continue;
    else if (type === 'tmpfs' && root === '/') sources.set(path, { source: 'tmpfs', type });
    else if (/^\/(dev|proc|run|sys)\//.test(path)) continue;
    else if (root !== '/') {
      const whole = hostMounts.find((other) => other.device === device && other.root === '/' && (other.path === '/' || sources.has(other.path)));
      if (!isOnDevice(mount) || whole === undefined) return undefined;
      sources.set(path, { source: `${whole.path === '/' ? '' : whole.path}${root}`, type: 'none', options: 'bind' });
    } else {
      const uuid = uuidOf(mount, devices, sys);
      if (uuid === undefined) return undefined;
      sources.set(path, { source: `UUID=${uuid}`, type });
    }
  }
  return sources;
}

/** The UUID of a filesystem that a mount is enough for. */
function uuidOf(mount: Mount, devices: readonly BlockDevice[], sys: string): string | undefined {
  const { device, type } = mount;
  if (!isWholeOnDisk(mount, sys)) return undefined;
  const known = devices.find(({ number }) => number === device);
  if (known?.uuid === undefined || devices.some((other) => other.uuid === known.uuid && other.number !== device)) return undefined;
  const errors = `${sys}/fs/ext4/${known.name}/errors_count`;
  return type !== 'ext4' || (existsSync(errors) && readFileSync(errors, 'utf8').trim() === '0') ? known.uuid : undefined;
}

/**
 * Filesystems besides the root: they are mounted before the first workload is restored. boot/early tries it; what it cannot
 * reach waits for systemd, and on devices for udev, which the restore can otherwise do without.
 */
export const filesystems: StateKind = {
  name: 'filesystems',
  async carry({ paths, survey }) {
    const hostMounts = survey.hostMounts.filter(({ path }) => path !== paths.handover);
    const others = hostMounts.filter(({ path }) => path !== '/');
    const remote = others.some(isRemote);
    const wanted = [
      ...(others.some(({ device }) => !device.startsWith('0:')) ? ['systemd-udevd.service', 'systemd-udev-trigger.service'] : []),
      ...(remote ? ['remote-fs.target'] : []),
    ];
    const steps: Step[] = [];
    if (wanted.length > 0) steps.push({ phase: 'prepare', title: 'wait for the filesystems besides the root', action: { kind: 'write', path: `${paths.units}/segue-mounts.target.d/filesystems.conf`, content: `[Unit]\nWants=${wanted.join(' ')}\nAfter=${wanted.join(' ')}\n` } });
    const devices = await blockDevices();
    if (!devices.ok) return devices;
    const sources = remote ? undefined : mountable({ ...survey, hostMounts }, devices.value);
    if (sources === undefined) return ok(steps);
    const mounted = await mounts();
    if (!mounted.ok) return mounted;
    return ok([...steps, { phase: 'prepare', title: 'list what is mounted before anything else', action: { kind: 'write', path: `${paths.state}/mounts`, content: tableOfMounts(mounted.value, sources) } }]);
  },
};
