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
    return true;
  } catch {
    stopCounting();
    return false;
  }
}

/** Counts from now on also the calls of these threads. */
export function countCallsOf(threads: readonly number[]): void {
  // One write may hold no more than a page.
  for (let at = 0; at < threads.length; at += 256) appendFileSync(`${INSTANCE}/set_event_pid`, `${threads.slice(at, at + 256).join(' ')}\n`);
}

/** The calls that each thread has made; undefined when nobody counts, or not all could be counted. */
export function countedCalls(): ReadonlyMap<number, number> | undefined {
  const counts = new Map<number, number>();
  try {
    for (const event of ['sys_enter', 'sys_exit']) {
      const histogram = parseHistogram(readFileSync(`${EVENTS}/${event}/hist`, 'utf8'));
      if (histogram === undefined) return undefined;
      for (const [thread, hits] of histogram) counts.set(thread, (counts.get(thread) ?? 0) + hits);
    }
    return counts;
  } catch {
    return undefined;
  }
}

/** `{ common_pid:       1234 } hitcount:         12` a line, then totals; undefined when some were dropped. */
export function parseHistogram(text: string): Map<number, number> | undefined {
  if (!/^ {4}Dropped: 0$/m.test(text)) return undefined;
  return new Map([...text.matchAll(/^\{ common_pid: +(\d+) \} hitcount: +(\d+)\s*$/gm)].map((match) => [Number(match[1]), Number(match[2])]));
}

export function stopCounting(): void {
  try {
    rmdirSync(INSTANCE);
  } catch {
    // There is none.
  }
}
