import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename } from 'node:path';
import { beyond, understood, type Understood } from '../model/initramfs.ts';
import type { BlockDevice } from '../tools/lsblk.ts';
import { driversAbove, type Driven } from './drivers.ts';

/** The root filesystem, and what a kernel must drive to reach it. */
export interface Root {
  readonly uuid: string;
  readonly type: string;
  /** For mount(8). */
  readonly options: string;
  readonly devices: readonly Driven[];
}

/** Where the kernel's filesystems are. Tests have them elsewhere. */
export interface Places {
  readonly sys: string;
  readonly proc: string;
}

/** Filesystems on one device that the kernel repairs by its own journal: nothing has to look at them before the mount. */
const JOURNALED = ['ext4', 'xfs'];

/** Ways to a disk that appear only after somebody has set them up, or that take their time. */
const BEYOND: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/^virtual\/block\/dm-/, 'LVM, LUKS, multipath or another mapping'],
  [/^virtual\/block\/md/, 'a software RAID'],
  [/^virtual\//, 'a device that is made by software'],
  [/\/session\d+\//, 'iSCSI'],
  [/\/rport-/, 'a storage network'],
  [/\/usb\d+\//, 'USB'],
];

/** Buses from which a machine's disks hang. */
const BUSES = ['pci', 'virtio', 'xen', 'vmbus'];

interface MountLine {
  readonly device: string;
  readonly root: string;
  readonly type: string;
  readonly options: readonly string[];
  readonly superOptions: readonly string[];
}

/** The last mount on a path (proc_pid_mountinfo(5)): the one that is seen. */
export function mountOn(path: string, mountinfo: string): MountLine | undefined {
  for (const line of mountinfo.split('\n').reverse()) {
    const words = line.split(' ');
    const dash = words.indexOf('-');
    if (dash < 0 || words[4] !== path) continue;
    return { device: words[2] ?? '', root: words[3] ?? '', type: words[dash + 1] ?? '', options: (words[5] ?? '').split(','), superOptions: (words[dash + 3] ?? '').split(',') };
  }
  return undefined;
}

/** Understands the machine's root filesystem, or says what is in the way. */
export function readRoot(rootFlags: string | undefined, known: readonly BlockDevice[], { sys, proc }: Places): Understood<Root> {
  const mountinfo = readFileSync(`${proc}/self/mountinfo`, 'utf8');
  const root = mountOn('/', mountinfo);
  if (root === undefined) return beyond('/ is no mount of its own');
  if (mountOn('/usr', mountinfo) !== undefined) return beyond('/usr is a filesystem of its own');
  if (!JOURNALED.includes(root.type) || root.root !== '/') return beyond(`/ is ${root.root === '/' ? root.type : `a part of a filesystem (${root.root})`}`);

  const link = `${sys}/dev/block/${root.device}`;
  if (!existsSync(link)) return beyond(`/ is on the device ${root.device}, which is not known`);
  const path = realpathSync(link);
  const below = path.slice(realpathSync(`${sys}/devices`).length + 1);
  const layer = BEYOND.find(([pattern]) => pattern.test(below));
  if (layer !== undefined) return beyond(`/ is on ${layer[1]} (${basename(path)})`);
  const devices = driversAbove(path, sys);
  if (!devices.some(({ bus }) => BUSES.includes(bus))) return beyond(`the way to ${basename(path)} is not known (${below})`);

  const damage = needsCheck(root, basename(path), { sys, proc });
  if (damage !== undefined) return beyond(damage);

  const uuid = known.find(({ number }) => number === root.device)?.uuid;
  if (uuid === undefined) return beyond(`the filesystem on ${basename(path)} has no UUID`);
  const twins = known.filter((device) => device.uuid === uuid);
  if (twins.length > 1) return beyond(`${twins.map(({ name }) => name).join(' and ')} hold filesystems of the same UUID`);
  // As it is mounted now: `ro` on a command line is there for a check before the first write, and that is out of place
  // when the filesystem is whole, its journal in order, and was written to a moment ago.
  const mode = root.options.includes('ro') || root.superOptions.includes('ro') ? 'ro' : 'rw';
  return understood({ uuid, type: root.type, options: rootFlags === undefined ? mode : `${mode},${rootFlags}`, devices });
}

/** Why fsck, or more than the one device, is needed before the mount. */
function needsCheck({ type, superOptions }: MountLine, name: string, { sys, proc }: Places): string | undefined {
  if (type === 'xfs') return superOptions.some((option) => /^(logdev|rtdev)=/.test(option)) ? '/ has its log or its files on a second device' : undefined;
  // jbd2 names a journal that is inside the filesystem after device and inode.
  const journals = existsSync(`${proc}/fs/jbd2`) ? readdirSync(`${proc}/fs/jbd2`) : [];
  if (!journals.some((journal) => journal.startsWith(`${name}-`))) return '/ has no journal of its own';
  const errors = `${sys}/fs/ext4/${name}/errors_count`;
  return !existsSync(errors) || readFileSync(errors, 'utf8').trim() !== '0' ? '/ has errors that fsck must look at' : undefined;
}
