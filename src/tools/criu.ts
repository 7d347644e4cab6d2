import { promises as fs } from 'node:fs';
import { compareVersions } from './version.ts';
import { failed, ok, type Result } from '../failure/result.ts';
import { display, run, unreadable } from './command.ts';

export const CRIU = '/usr/sbin/criu';

/** `Version: 4.2.1` */
export function parseVersion(text: string): string | undefined {
  return /^Version:[ \t]*(\d\S*)/m.exec(text)?.[1];
}

export async function criuVersion(): Promise<Result<string>> {
  const argv = ['criu', '--version'];
  const { stdout, stderr, exitCode } = await run(argv);
  if (exitCode === 127) return failed({ reason: 'tool-missing', tool: 'criu', package: 'criu' });
  const version = parseVersion(stdout);
  return version === undefined ? unreadable(argv, stdout || stderr) : ok(version);
}

/** From these kernels on, older versions of CRIU fail to dump or to restore. Source: CRIU's release notes and issues. */
const KERNELS: readonly (readonly [kernel: string, criu: string])[] = [
  ['7.1', '4.2.1'], // UDP-Lite is gone: socket collection fails (#3002)
  ['6.16', '4.2'], // SO_PASSCRED is refused for inet sockets (#2705)
  ['6.13', '4.1'], // the vvar mapping was split (#2532)
  ['6.11', '4.0'], // rseq as registered by glibc 2.40
];

/** The oldest CRIU for a kernel release; 3.19 below all of the above. */
export function neededCriu(kernel: string): string {
  const release = kernel.replace(/-rc\d+/, ''); // what breaks with a release came in its merge window
  return KERNELS.find(([from]) => compareVersions(release, from) >= 0)?.[1] ?? '3.19';
}

const NSENTER_OPTIONS = { mnt: '--mount', uts: '--uts', net: '--net', ipc: '--ipc', cgroup: '--cgroup' } as const;
export type EnteredNamespace = keyof typeof NSENTER_OPTIONS;

export const nsenterOptions = (namespaces: readonly string[]): string[] =>
  namespaces.map((name) => NSENTER_OPTIONS[name as EnteredNamespace]);

/** Runs `criu --version` inside a sandbox, as the dump will run; what went wrong, or undefined. */
export async function probeInside(pid: number, namespaces: readonly string[]): Promise<string | undefined> {
  const script = `exec 8<${CRIU} && exec nsenter --target "$0" "$@" -- /proc/self/fd/8 --version`;
  const { exitCode, stderr } = await run(['sh', '-c', script, pid.toString(), ...nsenterOptions(namespaces)]);
  return exitCode === 0 ? undefined : stderr.trim().split('\n').at(-1) || `exit code ${exitCode.toString()}`;
}

/**
 * Options that dump and restore must agree on. CRIU's log has errors and warnings: with more (`verbosity` in
 * /etc/criu/default.conf) it writes several lines for each page that is not next to another, which takes as long as the page.
 */
const COMMON = ['--tcp-established', '--file-locks', '--manage-cgroups=ignore', '--ext-unix-sk'];

/**
 * CRIU that has not imaged so much memory by then never will, also where a disk writes 10 MiB a second: whoever it holds stands
 * still meanwhile.
 */
export const limitSeconds = (memory: number): number => 60 + Math.ceil(memory / (10 * 2 ** 20));

/** The unit's stream to the journal, /dev/null of another mount, or a file of pressure stall information. */
export type ExternalFile =
  | { readonly kind: 'stream'; readonly inode: number }
  | { readonly kind: 'null'; readonly key: string }
  | { readonly kind: 'pressure'; readonly key: string; readonly path: string };

export interface DumpOrder {
  readonly pid: number;
  readonly images: string;
  readonly entered: readonly string[];
  readonly detachIpc: boolean;
  /** What CRIU is not to restore itself, but gets as open files. */
  readonly external: readonly ExternalFile[];
  /** The root is no session leader. */
  readonly shellJob: boolean;
  /** All of its tasks, bytes. */
  readonly memory: number;
  /** Folder of the snapshots of its memory; the newest that is whole is `last`. */
  readonly snapshots?: string;
}

/**
 * Has CRIU follow a task that it lets go system call by system call, instead of by a breakpoint in hardware (`FI_NO_BREAKPOINTS` of
 * criu/include/fault-injection.h). These are missed now and then, and CRIU then waits for ever (its issues #107, #162, #2720).
 */
const NO_BREAKPOINTS = 'export CRIU_FAULT=130';

/**
 * A command that runs CRIU on a tree. The program and the image folder are opened beforehand: the sandbox may hide
 * either, or forbid to run it. CRIU sits in the tasks' own namespaces, so that there is none to image; only SysV IPC of
 * the host must be in an image, and CRIU takes it for a foreign namespace from outside. What it prints goes to a file:
 * should segue be killed, a pipe without a reader would kill CRIU in the midst of its work. `before` is shell.
 */
function criuCommand(order: DumpOrder, images: string, before: string, options: readonly string[]): string[] {
  const inside = [...(order.detachIpc ? ['unshare', '--ipc'] : []), '/proc/self/fd/8', ...options];
  const command = order.entered.length === 0 ? inside : ['nsenter', '--target', order.pid.toString(), ...nsenterOptions(order.entered), '--', ...inside];
  // Killed in the midst of its work, CRIU may leave a task without its registers: when memory runs out, it is the last.
  return ['choom', '-n', '-1000', '--', 'sh', '-c', `exec 8<${CRIU} 9<"$0" >"$0/dump.out" 2>&1 && ${NO_BREAKPOINTS} && ${before}exec "$@"`, images, ...command];
}

const tree = (order: DumpOrder): string[] => ['--tree', order.pid.toString(), '--images-dir', '/proc/self/fd/9', '--log-file', 'dump.log', ...(order.shellJob ? ['--shell-job'] : [])];

const dumpOptions = ({ external }: DumpOrder): string[] => [
  '--link-remap', '--ghost-limit', '1G', '--network-lock', 'nftables', ...COMMON,
  ...external.flatMap((file) => ['--external', file.kind === 'stream' ? `unix[${file.inode.toString()}]` : `file[${file.key}]`]),
];

/** The command that images one tree, all but the memory that the last snapshot has, and leaves it stopped. */
export function dumpCommand(order: DumpOrder): string[] {
  const since = order.snapshots === undefined ? '' : '{ [ ! -e "$0/../snapshots/last" ] || set -- "$@" --track-mem --prev-images-dir ../snapshots/last; } && ';
  return criuCommand(order, order.images, since, ['dump', ...tree(order), '--leave-stopped', ...dumpOptions(order)]);
}

/**
 * Their cgroup is frozen. CRIU holds the tasks, thaws the cgroup for as long as it needs them, and freezes it again before it lets
 * go (criu/seize.c): they run no code of their own. The cgroup comes as an open folder: the sandbox may make it read-only.
 */
const FROZEN = ['--freeze-cgroup', '/proc/self/fd/7'];
const openCgroup = (controlGroup: string): string => `exec 7<${display([`/sys/fs/cgroup${controlGroup}`])} && `;

/** The command that images all of a tree, after `rounds` of its memory, whose cgroup stands still, and leaves it as it is. */
export function wholeCommand(order: DumpOrder, folder: string, rounds: number, controlGroup: string): string[] {
  const since = rounds === 0 ? '' : ` --prev-images-dir ../${rounds.toString()}`;
  return criuCommand(order, `${folder}/${(rounds + 1).toString()}`, `${openCgroup(controlGroup)}set -- "$@" --track-mem${since} && `, [
    'dump', ...tree(order), '--leave-running', ...FROZEN, ...dumpOptions(order),
  ]);
}

/**
 * The command that images what memory of a tree was written since the round before (all of it in round 1) while it runs, but that
 * its cgroup stands still as this begins, and when CRIU lets go of it: it is held only until CRIU knows what to read (criu(8),
 * `--pre-dump-mode=read`), and runs on while CRIU reads it.
 */
export function preDumpCommand(order: DumpOrder, folder: string, round: number, controlGroup: string): string[] {
  const since = round === 1 ? [] : ['--prev-images-dir', `../${(round - 1).toString()}`];
  return criuCommand(order, `${folder}/${round.toString()}`, openCgroup(controlGroup), ['pre-dump', ...tree(order), ...FROZEN, '--pre-dump-mode', 'read', '--track-mem', ...since]);
}

/** Descriptors that boot/restore opens for CRIU begin here, out of the way of its own. */
const FIRST_DESCRIPTOR = 20;

/** What boot/restore gives to `criu restore` besides the image folder, one argument a line. */
export function restoreArguments(order: DumpOrder): string[] {
  const inherited = order.external.map((file, index) => `fd[${(FIRST_DESCRIPTOR + index).toString()}]:${file.kind === 'stream' ? `socket:[${file.inode.toString()}]` : `file[${file.key}]`}`);
  return ['--restore-detached', '--log-file', 'restore.log', ...COMMON, ...(order.shellJob ? ['--shell-job'] : []), ...inherited.flatMap((value) => ['--inherit-fd', value])];
}

/** What boot/restore opens beforehand, one a line: `20 stream`, `21 null`, `22 pressure PATH`. */
export function restoreDescriptors({ external }: DumpOrder): string[] {
  return external.map((file, index) => `${(FIRST_DESCRIPTOR + index).toString()} ${file.kind}${file.kind === 'pressure' ? ` ${file.path}` : ''}`);
}

/** The lines of a CRIU log that say what went wrong; tun is only asked whether it is there. */
export async function logErrors(path: string): Promise<string[]> {
  const text = await fs.readFile(path, 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line.includes('Error (') && !line.includes('criu/tun.c')).slice(0, 6);
}

/**
 * The nftables table in which `criu dump --network-lock nftables` drops a tree's connections, and which `criu restore`
 * deletes when the sockets are back. Its name is cut to 31 characters with the family (criu/netfilter.c, `table[32]`).
 */
export const lockTable = (runId: string): string => `inet CRIU-${runId}`.slice(0, 31).slice('inet '.length);
