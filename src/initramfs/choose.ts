import { promises as fs, readFileSync } from 'node:fs';
import { beyond, understood, type Initramfs, type Understood } from '../model/initramfs.ts';
import { findBusybox, type Busybox } from '../tools/busybox.ts';
import { run } from '../tools/command.ts';
import { blockDevices } from '../tools/lsblk.ts';
import { firmwareOf, modulesFor, type Module } from '../tools/modprobe.ts';
import { cardModules } from './cards.ts';
import { namesOf, undriven } from './drivers.ts';
import { mountOn, readRoot, type Places, type Root } from './root.ts';
import { foreignUnpacker, packScript } from './script.ts';

/** Every program that boot/initramfs-init calls. */
export const APPLETS = ['sh', 'chroot', 'findfs', 'insmod', 'mkdir', 'mount', 'mv', 'reboot', 'sleep', 'switch_root'];

const INIT = '/usr/lib/segue/initramfs-init';

/** Words on the command line that ask the distribution's initramfs for something. */
const ASKED_OF_IT = /^(break|debug|boot|BOOTIF|ip|nfsroot|netconsole|overlayroot|cryptdevice|cryptopts|forcefsck|fsck\.(mode|repair)|fsckfix|ubi\.mtd|drop_capabilities|blacklist|rd\..*|root=.*:.*|rootfstype=overlay)(=|$)/;

export interface InitramfsOptions {
  readonly kernel: { readonly release: string; readonly initrd: string };
  readonly commandLine: string;
  /** Of the store, which is opened before the root folder has changed hands. */
  readonly drivers?: readonly string[];
  /** Where it is made: a folder of its own. Not below /run, where programs may be forbidden to run. */
  readonly folder: string;
}

/** The initramfs for that kernel: one of our own where the machine is plain enough, or else the installed one, and why. */
export async function chooseInitramfs(options: InitramfsOptions, places: Places = { sys: '/sys', proc: '/proc' }): Promise<Initramfs> {
  const own = await design(options, places);
  return own.ok ? own.value : { kind: 'installed', file: options.kernel.initrd, why: own.why };
}

async function design({ kernel, commandLine, folder, drivers = [] }: InitramfsOptions, places: Places): Promise<Understood<Initramfs>> {
  const words = commandLine.trim().split(/\s+/);
  const value = (name: string): string | undefined => words.findLast((word) => word.startsWith(`${name}=`))?.slice(name.length + 1);
  const asked = words.find((word) => ASKED_OF_IT.test(word));
  if (asked !== undefined) return beyond(`${asked} is on the command line`);
  const customized = await customization();
  if (customized !== undefined) return beyond(`${customized} adds to the installed one`);

  const known = await blockDevices();
  if (!known.ok) return beyond('lsblk does not tell the disks');
  const root = readRoot(value('rootflags'), known.value, places);
  if (!root.ok) return root;
  const rootModules = await driversOf(root.value, kernel.release, drivers);
  if (!rootModules.ok) return rootModules;
  const networkModules = (await cardModules(kernel.release, places.sys)).filter(({ path }) => !rootModules.value.some((module) => module.path === path));

  const modules = [...rootModules.value, ...networkModules];
  const tools = await findTools(modules);
  if (!tools.ok) return tools;
  const line = [root.value.uuid, root.value.type, root.value.options, value('init') ?? '/sbin/init', runOptions(places)];
  if (line.some((word) => !/^[\w./,:=@-]+$/.test(word))) return beyond('an option of the root filesystem has strange letters');

  const file = `${folder}/initramfs.img`;
  const script = packScript(
    { init: INIT, busybox: tools.value.path, libraries: tools.value.libraries, applets: APPLETS, rootModules: rootModules.value, networkModules, root: line.join(' ') },
    folder,
    file,
  );
  return understood({ kind: 'own', folder, file, modules: modules.map(({ path }) => path), script });
}

/** The modules for the root filesystem, the way to it, and the store, on that kernel. */
async function driversOf({ type, devices }: Root, release: string, more: readonly string[]): Promise<Understood<readonly Module[]>> {
  const { inserts, unknown, strange } = await modulesFor(release, [...devices.flatMap(namesOf), type, ...(more.length === 0 ? [] : [...more, 'ext4'])]);
  if (strange[0] !== undefined) return beyond(`modprobe says: ${strange[0]}`);
  if (unknown.includes(type)) return beyond(`Linux ${release} does not know ${type}`);
  const left = undriven(devices, unknown);
  if (left !== undefined) return beyond(`Linux ${release} has no driver for ${left.path} (${namesOf(left).join(', ')})`);
  const firmware = await firmwareOf(inserts);
  return firmware[0] === undefined ? understood(inserts) : beyond(`the root device needs firmware (${firmware[0]})`);
}

async function findTools(modules: readonly Module[]): Promise<Understood<Busybox>> {
  const busybox = await findBusybox();
  if (busybox === undefined) return beyond('busybox is not installed');
  const lacking = [...APPLETS, 'unxz', 'gunzip'].find((applet) => !busybox.applets.includes(applet));
  if (lacking !== undefined) return beyond(`busybox has no ${lacking}`);
  for (const tool of ['cpio', foreignUnpacker(modules)]) {
    if (tool !== undefined && (await run([tool, '--version'])).exitCode !== 0) return beyond(`${tool} is not installed`);
  }
  return understood(busybox);
}

/** The machine's /run stays as large as it is. */
function runOptions({ proc }: Places): string {
  const options = mountOn('/run', readFileSync(`${proc}/self/mountinfo`, 'utf8'));
  const kept = options?.superOptions.filter((option) => /^(size|nr_inodes)=/.test(option)) ?? [];
  return ['noexec', ...kept].filter((option) => option !== 'noexec' || options?.options.includes('noexec')).join(',') || 'size=10%';
}

/** A file with which the administrator adds to the installed initramfs (initramfs-tools(7), dracut.conf(5)). */
async function customization(etc = '/etc'): Promise<string | undefined> {
  for (const folder of [`${etc}/initramfs-tools/scripts`, `${etc}/initramfs-tools/hooks`, `${etc}/dracut.conf.d`]) {
    const files = (await fs.readdir(folder, { withFileTypes: true, recursive: true }).catch(() => [])).filter((entry) => !entry.isDirectory());
    if (files[0] !== undefined) return `${files[0].parentPath}/${files[0].name}`;
  }
  const modules = await fs.readFile(`${etc}/initramfs-tools/modules`, 'utf8').catch(() => '');
  return /^\s*[^#\s]/m.test(modules) ? `${etc}/initramfs-tools/modules` : undefined;
}
