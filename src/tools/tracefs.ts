import { appendFileSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { NOTICED_ENTRY, NOTICED_EXIT } from './system-calls.ts';

/**
 * An instance of the kernel's tracing (Documentation/trace/ftrace.rst, "Instances") that counts, for every thread that
 * is watched, the system calls which somebody else could notice: histograms of the raw_syscalls events
 * (Documentation/trace/histogram.rst). It outlives the process that made it, and loses no count.
 */
export const INSTANCE = '/sys/kernel/tracing/instances/segue';
const EVENTS = `${INSTANCE}/events/raw_syscalls`;
/** kthreadd makes no system calls. An empty list of threads would mean all of them. */
const NOBODY = '2';
/** Threads that can be told apart; also those that have ended count. */
const THREADS = 65_536;

/**
 * Another, of all tasks, for what is done to a thread by whoever it may be: signals, and calls that set its terms. By the
 * threads that it is done to, as the caller names them: in a PID namespace of its own it could not name any that is carried.
 */
export const INSTANCE_OF_DEEDS = `${INSTANCE}-deeds`;
const DEEDS = {
  // One that is ignored (TRACE_SIGNAL_IGNORED, include/trace/events/signal.h) waits nowhere.
  'signal/signal_generate': 'hist:keys=pid:size=8192 if result != 1',
  'oom/oom_score_adj_update': 'hist:keys=pid:size=8192',
  'syscalls/sys_enter_prlimit64': 'hist:keys=pid:size=2048 if pid != 0 && new_rlim != 0',
  // Of a process, of a group or of a user (setpriority(2)).
  'syscalls/sys_enter_setpriority': 'hist:keys=which,who:size=2048 if which != 0 || who != 0',
  'syscalls/sys_enter_sched_setscheduler': 'hist:keys=pid:size=2048 if pid != 0',
  'syscalls/sys_enter_sched_setparam': 'hist:keys=pid:size=2048 if pid != 0',
  'syscalls/sys_enter_sched_setattr': 'hist:keys=pid:size=2048 if pid != 0',
  'syscalls/sys_enter_sched_setaffinity': 'hist:keys=pid:size=2048 if pid != 0',
} as const;

/** Stands for the threads of a whole group, or of a user. */
export const EVERYBODY = -1;

export interface Counts {
  /** The calls that each watched thread has made. */
  readonly calls: ReadonlyMap<number, number>;
  /** How often something was done to each thread; undefined when that is not known. */
  readonly deeds: ReadonlyMap<number, number> | undefined;
}

/** Begins to count; false where the kernel cannot, or the numbers of its system calls are unknown here. */
export function startCounting(): boolean {
  if (process.arch !== 'x64') return false;
  try {
    mkdirSync(INSTANCE);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EEXIST';
  }
  try {
    writeFileSync(`${INSTANCE}/set_event_pid`, NOBODY);
    for (const [event, filter] of [['sys_enter', NOTICED_ENTRY], ['sys_exit', NOTICED_EXIT]] as const) {
      writeFileSync(`${EVENTS}/${event}/trigger`, `hist:keys=common_pid:size=${THREADS.toString()} if ${filter}`);
    }
  } catch {
    stopCounting();
    return false;
  }
  countDeeds();
  return true;
}

/** Where this cannot be counted, it is looked at what a thread runs under (src/snapshot/imprint.ts). */
function countDeeds(): void {
  try {
    mkdirSync(INSTANCE_OF_DEEDS);
    for (const [event, trigger] of Object.entries(DEEDS)) writeFileSync(`${INSTANCE_OF_DEEDS}/events/${event}/trigger`, trigger);
  } catch {
    remove(INSTANCE_OF_DEEDS);
  }
}

/** Counts from now on also the calls of these threads. */
export function countCallsOf(threads: readonly number[]): void {
  // One write may hold no more than a page.
  for (let at = 0; at < threads.length; at += 256) appendFileSync(`${INSTANCE}/set_event_pid`, `${threads.slice(at, at + 256).join(' ')}\n`);
}

/** Undefined when nobody counts, or not all calls could be counted. */
export function readCounts(): Counts | undefined {
  const calls = sumOf(['sys_enter', 'sys_exit'].map((event) => `${EVENTS}/${event}/hist`));
  return calls === undefined ? undefined : { calls, deeds: sumOf(Object.keys(DEEDS).map((event) => `${INSTANCE_OF_DEEDS}/events/${event}/hist`)) };
}

function sumOf(files: readonly string[]): Map<number, number> | undefined {
  const counts = new Map<number, number>();
  try {
    for (const file of files) {
      const histogram = parseHistogram(readFileSync(file, 'utf8'));
      if (histogram === undefined) return undefined;
      for (const [thread, hits] of histogram) counts.set(thread, (counts.get(thread) ?? 0) + hits);
    }
    return counts;
  } catch {
    return undefined;
  }
}

/**
 * Hits by thread, of `{ common_pid:       1234 } hitcount:         12` a line, then totals; what was done to a whole group or
 * to all of a user (`{ which: 2, who: 1000 }`) by `EVERYBODY`. Undefined when some were dropped.
 */
export function parseHistogram(text: string): Map<number, number> | undefined {
  if (!/^ {4}Dropped: 0$/m.test(text)) return undefined;
  const counts = new Map<number, number>();
  for (const [, which = '0', thread, hits] of text.matchAll(/^\{ (?:which: +(\d+), )?\w+: +(\d+) \} hitcount: +(\d+)\s*$/gm)) {
    const key = which === '0' ? Number(thread) : EVERYBODY;
    counts.set(key, (counts.get(key) ?? 0) + Number(hits));
  }
  return counts;
}

export function stopCounting(): void {
  for (const instance of [INSTANCE, INSTANCE_OF_DEEDS]) remove(instance);
}

function remove(instance: string): void {
  try {
    rmdirSync(instance);
  } catch {
    // There is none.
  }
}
