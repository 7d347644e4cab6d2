import { promises as fs } from 'node:fs';
import { release } from 'node:os';
import { dirname, resolve } from 'node:path';
import { failed, ok, type Result } from '../failure/result.ts';
import { criuVersion, neededCriu } from '../tools/criu.ts';
import { run } from '../tools/command.ts';
import type { Kernel } from './kernels.ts';
import { compareVersions } from '../tools/version.ts';

/** Programs that an upgrade runs, and the Debian packages they are in. */
const TOOLS: readonly (readonly [tool: string, pkg: string])[] = [
  ['criu', 'criu'], ['kexec', 'kexec-tools'], ['nft', 'nftables'], ['ip', 'iproute2'], ['ss', 'iproute2'], ['tar', 'tar'], ['nsenter', 'util-linux'], ['systemctl', 'systemd'], ['xxhsum', 'xxhash'], ['cryptsetup', 'cryptsetup-bin'], ['mkfs.ext4', 'e2fsprogs'], ['cpio', 'cpio'], ['systemd-creds', 'systemd'],
];

export const runningKernel = (): string => release();

export function requireRoot(): Result<undefined> {
  return process.geteuid?.() === 0 ? ok(undefined) : failed({ reason: 'not-root' });
}

const findTool = (tool: string): Promise<boolean> =>
  Promise.all(['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'].map((folder) => fs.access(`${folder}/${tool}`, fs.constants.X_OK).then(() => true, () => false))).then((found) => found.includes(true));

/** The programs are there, and CRIU is new enough for every kernel named. */
export async function requireTools(kernels: readonly string[]): Promise<Result<undefined>> {
  for (const [tool, pkg] of TOOLS) if (!(await findTool(tool))) return failed({ reason: 'tool-missing', tool, package: pkg });
  const version = await criuVersion();
  if (!version.ok) return version;
  for (const kernel of kernels) {
    const needed = neededCriu(kernel);
    if (compareVersions(version.value, needed) < 0) return failed({ reason: 'criu-too-old', version: version.value, needed, kernel });
  }
  return ok(undefined);
}

/**
 * The running kernel will load this one (kexec_load(2), kernel_lockdown(7)). A locked-down kernel takes only images
 * whose signature it trusts: whether it does can only be learnt by loading, which touches nothing else.
 */
export async function requireKexec(kernel: Kernel): Promise<Result<undefined>> {
  const disabled = await fs.readFile('/proc/sys/kernel/kexec_load_disabled', 'utf8').catch(() => '0');
  if (disabled.trim() === '1') return failed({ reason: 'kexec-disabled' });
  const mode = lockdownMode(await fs.readFile('/sys/kernel/security/lockdown', 'utf8').catch(() => ''));
  if (mode === 'none') return ok(undefined);
  const { exitCode } = await run(['kexec', '--load', '--kexec-file-syscall', kernel.image, `--initrd=${kernel.initrd}`, '--reuse-cmdline']);
  if (exitCode !== 0) return failed({ reason: 'kexec-locked-down', mode });
  await run(['kexec', '--unload', '--kexec-file-syscall']);
  return ok(undefined);
}

/** `[none] integrity confidentiality`: the one in brackets holds. */
export const lockdownMode = (text: string): string => /\[(\w+)\]/.exec(text)?.[1] ?? 'none';

/** As many as the kernel follows (path_resolution(7)). */
const LINKS = 40;

/**
 * The first folder on the way to this one in which somebody else than root could put something in its place: such a one, or
 * one that is not root's. A link of root's own leads to another way, which is looked at as well.
 */
export async function exposedFolder(path: string, owner = 0, links = LINKS): Promise<string | undefined> {
  const names = path.split('/').filter(Boolean);
  for (let length = 0; length <= names.length; length += 1) {
    const folder = `/${names.slice(0, length).join('/')}`;
    const found = await fs.lstat(folder);
    if (found.uid !== owner) return folder;
    if (found.isSymbolicLink() && links > 0) return exposedFolder(resolve(dirname(folder), await fs.readlink(folder), ...names.slice(length)), owner, links - 1);
    if (!found.isDirectory() || (found.mode & 0o022) !== 0) return folder;
  }
  return undefined;
}

/** The store's folder can be used: on the root filesystem, writable, with room for the images. */
export async function requireStore(path: string, neededBytes: number): Promise<Result<undefined>> {
  const made = await fs.mkdir(path, { recursive: true, mode: 0o700 }).then(() => true, () => false);
  if (!made) return failed({ reason: 'store-read-only', path });
  const folder = await exposedFolder(path);
  if (folder !== undefined) return failed({ reason: 'store-exposed', path, folder });
  const mount = (await run(['findmnt', '--noheadings', '--output', 'TARGET', '--target', path])).stdout.trim();
  if (mount !== '/') return failed({ reason: 'store-not-on-root', path, mount });
  const probe = `${path}/.probe-${process.pid.toString()}`;
  const writable = await fs.writeFile(probe, '', { mode: 0o600 }).then(() => fs.unlink(probe)).then(() => true, () => false);
  if (!writable) return failed({ reason: 'store-read-only', path });
  const { bavail, bsize } = await fs.statfs(path);
  const freeBytes = bavail * bsize;
  return freeBytes < neededBytes ? failed({ reason: 'store-too-small', path, neededBytes, freeBytes }) : ok(undefined);
}
