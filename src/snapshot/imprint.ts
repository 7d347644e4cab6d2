import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod';
import { doubt, type Doubt } from '../model/doubt.ts';
import { processorsOf } from '../park/affinity.ts';
import { pendingSignals } from '../tools/pending-signals.ts';
import { EVERYBODY, type Counts } from '../tools/tracefs.ts';
import { holdings, mappedFiles } from './descriptors.ts';

/**
 * What the kernel and the filesystems said of a workload at the moment of its image. If they say the same later, with its
 * sockets locked and its tasks stopped, the image is as good as one that would be taken then.
 */
export const Imprint = z.object({
  threads: z.array(z.number()),
  /** System calls that others could notice, of all threads, so far. */
  calls: z.number(),
  /** How often something was done to its threads, or to everybody's; as long as that is the same, its terms are, and no signal has come. */
  deeds: z.number().optional(),
  /** What others may set: limits, priorities, processors, of each process and thread. */
  terms: z.record(z.string(), z.string()),
  /** Device, inode, size, times and number of names of each file that is open or mapped. */
  files: z.record(z.string(), z.string()),
  sockets: z.array(z.number()),
  /** Of those that are TCP connections, by inode, what the kernel counts of them. */
  connections: z.record(z.string(), z.string()),
  /** Of each eventfd, where to read it, and what was read. */
  counters: z.record(z.string(), z.string()),
  /** The names under which CRIU locks the sockets of its images. */
  locks: z.array(z.string()),
});
export type Imprint = z.infer<typeof Imprint>;

/** What is asked once for many workloads. */
export interface Surroundings extends Counts {
  /** By inode: what waits in each socket of the machine, bytes or connections. */
  readonly queues: ReadonlyMap<number, number>;
  /** By inode: what the kernel counts of a TCP connection; undefined when its state changes without its program. */
  readonly connections: ReadonlyMap<number, string | undefined>;
}

const read = (path: string): string => readFileSync(path, 'utf8');
const numbers = (text: string): number[] => text.split('\n').filter(Boolean).map(Number).sort((a, b) => a - b);

export const threadsOf = (controlGroup: string): number[] => numbers(read(`/sys/fs/cgroup${controlGroup}/cgroup.threads`));
/** Also of a unit that has ended meanwhile. */
export function threadsOrNone(controlGroup: string): number[] {
  try {
    return threadsOf(controlGroup);
  } catch {
    return [];
  }
}
const processesOf = (controlGroup: string): number[] => numbers(read(`/sys/fs/cgroup${controlGroup}/cgroup.procs`));

/** Those of all these threads. */
export const sumOf = (threads: readonly number[], counts: ReadonlyMap<number, number>): number => threads.reduce((sum, thread) => sum + (counts.get(thread) ?? 0), 0);
export const deedsTo = (threads: readonly number[], deeds: Counts['deeds']): number | undefined => deeds && sumOf([EVERYBODY, ...threads], deeds);

/** `undefined` for a file that is not there. A folder's size and times are those of what is in it. */
export function fileMark(path: string): string | undefined {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  return [stat.dev, stat.ino, stat.mode, ...(stat.isDirectory() ? [] : [stat.size, stat.mtimeNs, stat.ctimeNs, stat.nlink])].join(' ');
}

export const processTerms = (proc: string): string => `${read(`${proc}/limits`)}${read(`${proc}/oom_score_adj`)}`;

interface Thread {
  readonly terms: string;
  readonly signalled: boolean;
  readonly stopped: boolean;
  readonly ended: boolean;
}

/** What a thread runs under, and whether a signal waits for it (proc_pid_stat(5), proc_pid_status(5)). */
export function threadState(path: string): Thread {
  const stat = read(`${path}/stat`);
  // From field 3 on: 3 state, 18 priority, 19 nice, 40 real-time priority, 41 policy.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const status = read(`${path}/status`);
  return {
    terms: [fields[15], fields[16], fields[37], fields[38], processorsOf(status), /^Mems_allowed_list:\s*(\S+)/m.exec(status)?.[1]].join(' '),
    signalled: pendingSignals(status) !== 0n,
    stopped: fields[0] === 'T',
    ended: fields[0] === 'Z' || fields[0] === 'X',
  };
}

/** `/proc/PID` and `/proc/PID/task/TID` */
export const isThread = (path: string): boolean => path.includes('/task/');
export const processOf = (path: string): string => `process ${path.split('/')[2] ?? ''}`;

const isDoubt = (value: object): value is Doubt => 'kind' in value;

/** Takes the imprint of a workload that stands still; or says why its image could never be proven current. */
export function takeImprint(controlGroup: string, { calls, deeds, connections }: Omit<Surroundings, 'queues'>, locks: readonly string[]): Imprint | Doubt {
  const threads = threadsOf(controlGroup);
  const imprint = { threads, calls: sumOf(threads, calls), deeds: deedsTo(threads, deeds), terms: {} as Record<string, string>, files: {} as Record<string, string>, sockets: [] as number[], connections: {} as Record<string, string>, counters: {} as Record<string, string>, locks: [...locks] };
  const ownMounts = readlinkSync('/proc/self/ns/mnt');
  for (const pid of processesOf(controlGroup)) {
    const proc = `/proc/${pid.toString()}`;
    const ownRoot = readlinkSync(`${proc}/ns/mnt`) === ownMounts && readlinkSync(`${proc}/root`) === '/';
    if (read(`${proc}/timers`) !== '') return doubt('timer', `process ${pid.toString()}`);
    const held = holdings(pid, readdirSync(`${proc}/fd`), ownRoot);
    if (isDoubt(held)) return held;
    const mapped = mappedFiles(pid, ownRoot);
    if (isDoubt(mapped)) return mapped;
    imprint.terms[proc] = processTerms(proc);
    for (const thread of readdirSync(`${proc}/task`)) {
      const path = `${proc}/task/${thread}`;
      const { terms, signalled, stopped } = threadState(path);
      if (signalled) return doubt('signal', processOf(path));
      if (stopped) return doubt('stopped', processOf(path));
      imprint.terms[path] = terms;
    }
    const folder = readlinkSync(`${proc}/cwd`);
    if (folder.endsWith(' (deleted)')) return doubt('nameless', folder);
    for (const path of [...held.files, ...mapped, ownRoot ? folder : `${proc}/root${folder}`]) imprint.files[path] ??= fileMark(path) ?? '';
    for (const path of held.counters) imprint.counters[path] = read(path);
    imprint.sockets.push(...held.sockets);
  }
  imprint.sockets = [...new Set(imprint.sockets)];
  for (const inode of imprint.sockets.filter((each) => connections.has(each))) {
    const counted = connections.get(inode);
    if (counted === undefined) return doubt('connection', `socket ${inode.toString()}`);
    imprint.connections[inode] = counted;
  }
  return imprint;
}

/** What CRIU changes itself: it has tasks make calls, names its locks, and tells peers of a connection that it let go on. */
const withoutCriu = (imprint: Imprint): Imprint => ({
  ...imprint,
  calls: 0,
  deeds: undefined,
  locks: [],
  connections: Object.fromEntries(Object.entries(imprint.connections).map(([inode, counted]) => [inode, counted.replace(/ (segs_out|rcv_wnd):\d+/g, '')])),
});

/**
 * Whether nothing has happened to a workload from one imprint to the next. One is taken before its image and one after,
 * as none can be taken at the very moment: what comes right after CRIU has read a connection, and is acknowledged, would
 * be in the imprint, but in no image.
 */
export const sameImprint = (before: Imprint, after: Imprint): boolean => isDeepStrictEqual(withoutCriu(before), withoutCriu(after));
