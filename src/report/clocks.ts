import type { JournalEvent } from '../store/journal.ts';

/**
 * Where the pause of a workload went, milliseconds, one after the other; together they are its pause. What cannot be told is part of
 * the next: with the installed initramfs nobody knows when process 1 began.
 */
export interface Clocks {
  /** It stands still, until kexec. */
  readonly parked?: number;
  /** Until the first tick of the new kernel. */
  readonly kexec?: number;
  /** Until process 1. */
  readonly kernel?: number;
  /** Until the modules are loaded and the root filesystem is mounted. */
  readonly drivers?: number;
  /** Until the hand-over is open and compared with its checksums. */
  readonly store?: number;
  /** Until the firewall, the locks, the addresses and the routes are back. */
  readonly network?: number;
  /** Until the files, the sysctls and the rest of the machine's state are. */
  readonly state?: number;
  /** Until it is its turn, and systemd has built its sandbox. */
  readonly turn?: number;
  /** Until its tasks run. */
  readonly restore?: number;
}

type Events = readonly JournalEvent[];

/** A time, so many milliseconds later; itself where there is no such time. */
export function shift(at: string, milliseconds: number): string {
  const date = new Date(Date.parse(at) + milliseconds);
  return Number.isNaN(date.getTime()) ? at : date.toISOString();
}

/**
 * All times by the clock of the kernel that the upgrade began on. Each kernel that was started since has its own, and has said by how much
 * that is ahead of the machine's (src/tools/rtc.ts); one that has not is taken at its word.
 */
export function joinClocks(events: Events): Events {
  const first = events.findLast(({ event }) => event === 'begun')?.clockMs;
  if (first === undefined) return events;
  const starts = [...events.keys()].filter((index) => ['arrived', 'came-back'].includes(events[index]!.event));
  return starts.reduce((joined, start, number) => {
    const end = starts[number + 1] ?? events.length;
    const own = events.slice(start, end).find(({ clockMs }) => clockMs !== undefined)?.clockMs;
    return own === undefined ? joined : joined.map((event, index) => (index < start || index >= end ? event : { ...event, at: shift(event.at, first - own) }));
  }, events);
}

/** Milliseconds since the epoch. */
const time = (event: JournalEvent | undefined, later = 0): number | undefined => (event === undefined ? undefined : Date.parse(event.at) + later);

/** Of one whose tasks stood still at `parkedAt` and ran again at `restoredAt`, after a jump; `own` are the events of its unit. Times are joined. */
export function clocksOf(events: Events, own: Events, parkedAt: string, restoredAt: string): Clocks | undefined {
  const find = (name: string): JournalEvent | undefined => events.findLast(({ event }) => event === name);
  const [jumping, arrived] = [find('jumping'), find('arrived')];
  if (jumping === undefined || arrived?.uptime === undefined || find('came-back') !== undefined) return undefined;
  const booted = (seconds: number | undefined): number | undefined => (seconds === undefined ? undefined : time(arrived, (seconds - arrived.uptime!) * 1000));
  const moments: readonly (readonly [keyof Clocks, number | undefined])[] = [
    ['parked', time(jumping)],
    ['kexec', booted(0)],
    ['kernel', booted(arrived.initAt)],
    ['drivers', booted(arrived.rootAt)],
    ['store', time(arrived)],
    ['network', time(find('network-restored'))],
    ['state', time(find('state-restored'))],
    ['turn', time(own.findLast(({ event }) => event === 'restoring'))],
    ['restore', Date.parse(restoredAt)],
  ];
  let last = Date.parse(parkedAt);
  return Object.fromEntries(moments.flatMap(([name, moment]) => {
    if (moment === undefined) return [];
    // Some of it is done side by side: what was over by then took no time of its own.
    const ms = Math.max(0, moment - last);
    last = Math.max(last, moment);
    return [[name, Math.round(ms)]];
  }));
}
