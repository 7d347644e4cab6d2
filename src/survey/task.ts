import { promises as fs, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { isServed } from '../state/mounts.ts';
import { deviceNumber } from '../tools/device-number.ts';
import { controlGroupOf } from '../tools/systemd-run.ts';
import { namespaceNames, type Mount, type NamespaceName, type OpenFile, type Task } from '../model/task.ts';

export interface Stat {
  readonly comm: string;
  readonly state: string;
  readonly parent: number;
  readonly processGroup: number;
  readonly session: number;
  readonly flags: number;
  readonly startTime: number;
}

/** Fields of /proc/PID/stat; the command name may hold spaces and parentheses. Undefined when that is not what it is. */
export function parseStat(text: string): Stat | undefined {
  const open = text.indexOf('(');
  const close = text.lastIndexOf(')');
  const fields = text.slice(close + 2).split(' ');
  const field = (number: number): number => (/^\d{1,15}$/.test(fields[number - 3] ?? '') ? Number(fields[number - 3]) : NaN);
  const stat = { comm: text.slice(open + 1, close), state: fields[0] ?? '', parent: field(4), processGroup: field(5), session: field(6), flags: field(9), startTime: field(22) };
  const readable = /^\d+ $/.test(text.slice(0, open)) && close > open && /^[A-Za-z]$/.test(stat.state) && Object.values(stat).every((value) => !Number.isNaN(value));
  return readable ? stat : undefined;
}

/** Of a process or a thread; undefined when there is none of that id. */
export function statOf(id: number): Stat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${id.toString()}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** When a process began, clock ticks after boot; undefined when there is none of that id. */
export const startTimeOf = (pid: number): number | undefined => statOf(pid)?.startTime;

/** By a signal (state T of proc_pid_stat(5)). */
export const isStopped = (pid: number): boolean => statOf(pid)?.state === 'T';

/** The threads of a process; none if it has ended. */
export function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid.toString()}/task`).map(Number);
  } catch {
    return [];
  }
}

/** The process that traces this one, 0 for nobody. */
export function tracerOf(pid: number): number {
  try {
    return parseTracer(readFileSync(`/proc/${pid.toString()}/status`, 'utf8'));
  } catch {
    return 0; // it has ended
  }
}
const parseTracer = (status: string): number => Number(/^TracerPid:\s+(\d+)/m.exec(status)?.[1] ?? 0);

/** Parses /proc/PID/mountinfo (proc_pid_mountinfo(5)); blanks in paths come as octal escapes. What is no mount is left out. */
export function parseMountinfo(text: string): Mount[] {
  const plain = (word: string): string => word.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
  return text.split('\n').flatMap((line) => {
    const words = line.split(' ');
    const [id = '', , device = '', root = '', path = ''] = words;
    const dash = words.indexOf('-', 6);
    const type = dash < 0 ? '' : (words[dash + 1] ?? '');
    if (!/^\d{1,15}$/.test(id) || !/^\d+:\d+$/.test(device) || root === '' || !path.startsWith('/') || type === '') return [];
    return [{ id: Number(id), device, root: plain(root), path: plain(path), type }];
  });
}

// Synchronous on purpose: the files are in memory, and a machine has thousands of them.
const numbers = (path: string): number[] => readdirSync(path).map(Number).sort((a, b) => a - b);

function openFile(pid: number, fd: number, mounts: ReadonlyMap<number, Mount>): OpenFile | undefined {
  const link = `/proc/${pid.toString()}/fd/${fd.toString()}`;
  try {
    const target = readlinkSync(link);
    const info = readFileSync(`/proc/${pid.toString()}/fdinfo/${fd.toString()}`, 'utf8');
    const said = (name: string): number => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(info)?.[1] ?? 0);
    const mountId = said('mnt_id');
    const mount = mounts.get(mountId);
    // To ask a server that is gone is to wait for it.
    if (mount !== undefined && isServed(mount)) return { fd, target, mountId, inode: said('ino'), kind: 'file', major: 0, minor: 0 };
    const stat = statSync(link);
    return {
      fd,
      target,
      mountId,
      inode: stat.ino,
      kind: stat.isCharacterDevice() ? 'character-device' : stat.isBlockDevice() ? 'block-device' : stat.isFile() || stat.isDirectory() ? 'file' : 'other',
      ...deviceNumber(stat.rdev),
    };
  } catch {
    return undefined; // closed meanwhile
  }
}

/** Other security modules have no such file, or none that can be read. */
function labelOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid.toString()}/attr/apparmor/current`, 'utf8');
  } catch {
    return '';
  }
}

/** `named (enforce)`; also a profile may be called unconfined, and has a mode then. */
export function parseProfile(label: string): Pick<Task, 'profile' | 'confined'> {
  const [, profile = '', mode = ''] = /^(.*?)(?: \(([a-z]+)\))?\0?\n?$/s.exec(label) ?? [];
  return { profile: mode === '' && profile === 'unconfined' ? '' : profile, confined: !['', 'complain', 'unconfined'].includes(mode) };
}

/** Reads all about a process; undefined when it is gone. */
export function readTask(pid: number): Task | undefined {
  const proc = `/proc/${pid.toString()}`;
  const read = (name: string): string => readFileSync(`${proc}/${name}`, 'utf8');
  try {
    const stat = parseStat(read('stat'));
    if (stat === undefined) return undefined;
    const status = read('status');
    const maps = read('maps');
    const mounts = parseMountinfo(read('mountinfo'));
    const mountsById = new Map(mounts.map((mount) => [mount.id, mount]));
    const kibibytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0);
    return {
      pid,
      parent: stat.parent,
      comm: stat.comm,
      controlGroup: controlGroupOf(read('cgroup')),
      processGroup: stat.processGroup,
      session: stat.session,
      threads: numbers(`${proc}/task`),
      tracer: parseTracer(status),
      startTime: stat.startTime,
      root: readlinkSync(`${proc}/root`),
      namespaces: Object.fromEntries(namespaceNames.map((name) => [name, readlinkSync(`${proc}/ns/${name}`)])) as Record<NamespaceName, string>,
      files: numbers(`${proc}/fd`).flatMap((fd) => openFile(pid, fd, mountsById) ?? []),
      mounts,
      paths: [...new Set([readlinkSync(`${proc}/cwd`), ...[...maps.matchAll(/^\S+ \S+ \S+ \S+ \d+\s+(\/.*)$/gm)].map((match) => match[1] ?? '')])].map((path) => path.replace(/ \(deleted\)$/, '')),
      // `SYSVkkkkkkkk`, the key in hexadecimal; the inode is the segment's id (proc_pid_maps(5)).
      sysvSegments: [...new Set([...maps.matchAll(/^\S+ \S+ \S+ \S+ (\d+)\s+\/SYSV[0-9a-f]{8}/gm)].map((match) => Number(match[1])))],
      // criu/parasite-syscall.c, get_exec_start()
      firstCodeShared: /^\S+ ..x(.) /m.exec(maps)?.[1] === 's',
      memory: (kibibytes('VmRSS') + kibibytes('VmSwap')) * 1024,
      ...parseProfile(labelOf(pid)),
    };
  } catch {
    return undefined;
  }
}

/** The ids in the text of cgroup.procs; a process of a PID namespace that is not below this one is there as 0. */
export const parsePids = (text: string): number[] => text.split('\n').flatMap((line) => (/^[1-9]\d{0,9}$/.test(line) ? [Number(line)] : []));

/** The process ids in a cgroup and below it, and the sub-cgroups that hold any. */
export async function cgroupProcesses(controlGroup: string): Promise<{ pids: number[]; subgroups: string[] }> {
  const pids: number[] = [];
  const subgroups: string[] = [];
  const walk = async (path: string): Promise<void> => {
    const [processes, entries] = await Promise.all([
      fs.readFile(`/sys/fs/cgroup${path}/cgroup.procs`, 'utf8').catch(() => ''),
      fs.readdir(`/sys/fs/cgroup${path}`, { withFileTypes: true }).catch(() => []),
    ]);
    const here = parsePids(processes);
    pids.push(...here);
    if (here.length > 0 && path !== controlGroup) subgroups.push(path);
    for (const entry of entries) if (entry.isDirectory()) await walk(`${path}/${entry.name}`);
  };
  await walk(controlGroup);
  return { pids, subgroups };
}

/** The threads of all processes of a cgroup and of those below it. */
export const cgroupThreads = async (controlGroup: string): Promise<number[]> => (await cgroupProcesses(controlGroup)).pids.flatMap(threadsOf);
