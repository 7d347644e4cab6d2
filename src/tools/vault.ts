import { randomBytes } from 'node:crypto';
import { promises as fs } from 'node:fs';
import { basename, dirname } from 'node:path';
import { ok, type Result } from '../failure/result.ts';
import { display, run, runOk } from './command.ts';
import { deviceNumber } from './device-number.ts';
import { insist, isMounted, unmount } from './mount.ts';

/** An encrypted container for a folder. */
export interface Vault {
  /** On the disk. */
  readonly file: string;
  /** Of its device in /dev/mapper. */
  readonly name: string;
  /** Where it is mounted. */
  readonly folder: string;
  /** In memory that is never swapped; what else is to be there only for a while begins with the same name. */
  readonly key: string;
  /** Its key on the disk, sealed to this machine: there only while images are to outlive the kernel. */
  readonly sealedKey: string;
}

/**
 * A ramfs, which unlike a tmpfs is never swapped. Below /dev, as that is what any initramfs hands on with all that is
 * mounted there.
 */
export const MEMORY = '/dev/segue';

/** AES-256 in XTS mode takes two keys, bits. boot/store says the same. */
const KEY_BITS = 512;
const CIPHER = ['--type', 'plain', '--cipher', 'aes-xts-plain64', '--key-size', KEY_BITS.toString(), '--sector-size', '4096', '--allow-discards'];
/** The file is as large as the disk could take, and sparse: it takes up what is written. */
const SHARE_OF_DISK = 0.95;
const BLOCK = 4096;

const WORKQUEUES = '/sys/devices/virtual/workqueue';

const device = ({ name }: Pick<Vault, 'name'>): string => `/dev/mapper/${name}`;

/** The key is at hand in another initramfs, or another boot, under the same name: boot/store opens it likewise. */
export const openCommand = (vault: Vault): string[] => ['cryptsetup', 'open', '--batch-mode', ...CIPHER, '--key-file', vault.key, vault.file, vault.name];

/** What is never read again needs no table of inodes that is written beforehand; what is removed is given back to the disk. */
export const makeCommand = (vault: Vault): string[] => ['mkfs.ext4', '-q', '-m', '0', '-J', 'size=32', '-O', '^resize_inode', '-E', 'lazy_itable_init=1,lazy_journal_init=1,nodiscard', device(vault)];
export const mountCommand = (vault: Vault): string[] => ['mount', '-t', 'ext4', '-o', 'nosuid,nodev,noatime,noinit_itable,discard', device(vault), vault.folder];

/** After a jump the node in /dev is not udev's: who made it takes it away. */
export const closeCommand = ({ name }: Vault): string[] => ['env', 'DM_DISABLE_UDEV=1', 'cryptsetup', 'close', name];

const loopsCommand = ({ file }: Vault): string[] => ['losetup', '--noheadings', '--output', 'NAME', '--associated', file];

/** What is written goes from the encryption to the disk: it is cached in the container, and need not be in the file below as well (losetup(8)). */
const directCommand = (loop: string): string[] => ['losetup', '--direct-io=on', loop];
export const writingDirectly = (vault: Vault): string => `${display(directCommand('LOOP'))} # ${display(loopsCommand(vault))}`;

async function loopsOf(vault: Vault): Promise<string[]> {
  const { stdout } = await run(loopsCommand(vault));
  return stdout.split('\n').map((line) => line.trim()).filter(Boolean);
}

/** Somebody can read it now. */
export const isOpen = ({ folder }: Vault): Promise<boolean> => isMounted(folder);

/** Opens one that is there, with its key in memory or the sealed one (boot/store). */
export const reopenVault = (vault: Vault): Promise<Result<string>> => runOk(['/usr/lib/segue/store', 'open', vault.name.replace(/^segue-/, ''), dirname(vault.file)]);

/** The folder in memory, for root only, also before anything is in it. */
async function openMemory(): Promise<Result<undefined>> {
  await fs.mkdir(MEMORY, { recursive: true, mode: 0o700 });
  if (await isMounted(MEMORY)) return ok(undefined);
  const mounted = await runOk(['mount', '-t', 'ramfs', '-o', 'mode=0700,nosuid,nodev,noexec', 'segue', MEMORY]);
  return mounted.ok ? ok(undefined) : mounted;
}

/** Makes the container and opens it; one that is open is left as it is. */
export async function openVault(vault: Vault): Promise<Result<undefined>> {
  if (await isMounted(vault.folder)) return ok(undefined);
  await fs.mkdir(dirname(vault.file), { recursive: true, mode: 0o700 });
  const memory = await openMemory();
  if (!memory.ok) return memory;
  await fs.writeFile(vault.key, randomBytes(KEY_BITS / 8), { mode: 0o600 });
  const { bavail, bsize } = await fs.statfs(dirname(vault.file));
  const file = await fs.open(vault.file, 'w', 0o600);
  await file.truncate(Math.floor((bavail * bsize * SHARE_OF_DISK) / BLOCK) * BLOCK);
  await file.close();
  await fs.mkdir(vault.folder, { recursive: true, mode: 0o700 });
  const opened = await runOk(openCommand(vault));
  if (!opened.ok) return opened;
  // Not every filesystem can; it is as good without.
  for (const loop of await loopsOf(vault)) await run(directCommand(loop));
  for (const command of [makeCommand(vault), mountCommand(vault)]) {
    const done = await runOk(command);
    if (!done.ok) return done;
  }
  await fs.chmod(vault.folder, 0o700);
  await fs.rm(`${vault.folder}/lost+found`, { recursive: true, force: true });
  return ok(undefined);
}

/**
 * How much everybody else comes before the encryption of what is written to it, as a nice value: that is done by the kernel's own
 * threads (Documentation/core-api/workqueue.rst; drivers/md/dm-crypt.c), whatever the weight of who writes. Some kernels cannot be told: there it
 * stays as it is.
 */
export async function setNice(vault: Vault, nice: number): Promise<void> {
  const { major, minor } = deviceNumber((await fs.stat(device(vault))).rdev);
  const names = await fs.readdir(WORKQUEUES).catch((): string[] => []);
  for (const name of names.filter((each) => each.startsWith(`kcryptd-${major.toString()}:${minor.toString()}-`))) await fs.writeFile(`${WORKQUEUES}/${name}/nice`, nice.toString()).catch(() => undefined);
}

export const settingNice = ({ name }: Vault, nice: number): string => `echo ${nice.toString()} | tee ${WORKQUEUES}/kcryptd-*/nice # of ${name}`;

/** Forgets the key that is in memory, and gives the memory back when no other is there. */
export async function forgetKey(vault: Vault): Promise<void> {
  const names = await fs.readdir(MEMORY).catch(() => undefined);
  if (names === undefined) return;
  const own = names.filter((name) => name.startsWith(basename(vault.key)));
  for (const name of own) await fs.rm(`${MEMORY}/${name}`, { recursive: true, force: true });
  if (own.length < names.length) return;
  await run(['umount', MEMORY]);
  await fs.rmdir(MEMORY).catch(() => undefined);
}

/** Closes it, whatever of it is there, and leaves nothing: without its key the file is noise, wherever the disk still has it. */
export async function wipeVault(vault: Vault): Promise<Result<undefined>> {
  await fs.rm(vault.sealedKey, { force: true });
  const unmounted = await unmount(vault.folder);
  if (!unmounted.ok) return unmounted;
  const closed = await insist(closeCommand(vault), async () => (await run(['cryptsetup', 'status', vault.name])).exitCode !== 0);
  if (!closed.ok) return closed;
  // cryptsetup, killed before it was done, has left its loop device.
  for (const loop of await loopsOf(vault)) await run(['losetup', '--detach', loop]);
  await forgetKey(vault);
  await fs.rm(vault.folder, { recursive: true, force: true });
  await fs.rm(vault.file, { force: true });
  return ok(undefined);
}
