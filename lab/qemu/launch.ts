import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from '../errors.js';
import { identify, type ProcessIdentity } from '../host/process.js';
import type { QemuBinary } from './binary.js';

export interface LaunchOptions {
  readonly binary: QemuBinary;
  readonly args: readonly string[];
  /** Folders that QEMU reads and writes, needed inside its root folder too. */
  readonly folders: readonly string[];
  readonly namespace?: string | undefined;
  /** QEMU ends with the process that started it. */
  readonly tied: boolean;
  readonly root: boolean;
  /** Takes what QEMU says. */
  readonly log: string;
}

/**
 * Makes the folders visible inside the root folder, at the same paths, and becomes QEMU. The mounts
 * are in a mount namespace of QEMU's own: the host never sees them, and they go when it ends.
 */
const ENTER_CHROOT = `
root=$1; shift
for folder in /dev /proc; do mount --rbind "$folder" "$root$folder" || exit; done
while [ "$1" != -- ]; do
  mkdir -p "$root$1" && mount --bind "$1" "$root$1" || exit
  shift
done
shift
exec chroot "$root" qemu-system-x86_64 "$@"`;

export function launchCommand(options: Omit<LaunchOptions, 'log'>): string[] {
  const { binary, args, folders, namespace, tied, root } = options;
  const qemu =
    binary.chroot === undefined
      ? ['qemu-system-x86_64', ...args]
      : [
          'unshare', ...(root ? [] : ['--map-root-user']), '--mount', '--propagation', 'private',
          'sh', '-c', ENTER_CHROOT, 'sh', binary.chroot, ...folders, '--', ...args,
        ]; // prettier-ignore
  return [
    ...(tied ? ['setpriv', '--pdeathsig', 'KILL'] : []),
    ...(namespace === undefined ? [] : ['ip', 'netns', 'exec', namespace]),
    ...qemu,
  ];
}

/** Starts QEMU in a session of its own. Every command on the way to it execs the next: the pid is QEMU's. */
export async function launchQemu(options: LaunchOptions): Promise<ProcessIdentity> {
  const [file = '', ...args] = launchCommand(options);
  const log = openSync(options.log, 'a');
  const child = spawn(file, args, { detached: true, stdio: ['ignore', log, log], cwd: '/' });
  closeSync(log);
  child.unref();
  await new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => reject(new LabError(`${file} cannot be run`, { cause })));
  });
  const identity = child.pid === undefined ? undefined : identify(child.pid);
  if (identity === undefined) throw await launchFailure(options.log);
  return identity;
}

/** Why QEMU is gone, in its own words. */
export async function launchFailure(log: string): Promise<LabError> {
  await sleep(50);
  const text = readFileSync(log, 'utf8').trim();
  return new LabError(`QEMU ended${text === '' ? '' : `:\n${text}`}`);
}
