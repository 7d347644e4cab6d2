import type { JournalEvent } from './journal.js';
import { stepsOf, stoppageSpan, togetherMs, type Step } from './steps.js';

const MIB = 2 ** 20;

/** Whose time it was. The three parts of the stoppage make up the whole; what follows is not in it. */
export interface Parts {
  /** Tasks held by CRIU, which reads and writes them down: of the time in which images were made, the part that CRIU counted. */
  readonly criuMs: number;
  /** Everything else that is done before the last steps: locks, proofs, archives, checksums, starting CRIU, the journal. */
  readonly segueMs: number;
  /** The last steps, in which the kernel writes what is left to the disk. */
  readonly kernelMs: number;
  /** After the stoppage: kexec and the boot of the new kernel, until its first word in the journal. Clocks are set in there. */
  readonly bootMs?: number;
  /** After the stoppage: until the last workload was restored. */
  readonly restoreMs?: number;
}

/** How long everything stood still, and why. */
export interface Stoppage {
  readonly stoppageMs: number;
  readonly parts: Parts;
  /** False when the journal does not say how long CRIU held the tasks: then all of the imaging counts as CRIU's. */
  readonly criuCounted: boolean;
  readonly imagedMiB: number;
  readonly earlierMiB: number;
  /** How many workloads were imaged in the stoppage, and how many needed no new image. */
  readonly imaged: number;
  readonly current: number;
  /** How many slept when they were imaged whole, and were found to have run since. */
  readonly changed: number;
  readonly steps: readonly Step[];
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const bytesOf = (events: readonly JournalEvent[], of: (event: JournalEvent) => number | undefined): number => sum(events.map((event) => of(event) ?? 0));

export function makeStoppage(events: readonly JournalEvent[]): Stoppage {
  const span = stoppageSpan(events);
  const steps = stepsOf(events);
  const images = steps.filter(({ image }) => image);
  const criuCounted = images.every(({ heldMs }) => heldMs !== undefined);
  const imagingMs = togetherMs(images);
  // Side by side, CRIU holds more time than passes: its part of the steps' time is its part of what passed.
  const spentMs = sum(images.map(({ ms }) => ms));
  const heldMs = sum(images.map(({ heldMs: held }) => held ?? 0));
  const criuMs = criuCounted ? (spentMs === 0 ? 0 : imagingMs * Math.min(1, heldMs / spentMs)) : imagingMs;
  const kernelMs = sum(steps.filter(({ phase }) => phase === 'jump').map(({ ms }) => ms));
  const stoppageMs = span.to - span.from;

  const arrived = events.find(({ event }) => event === 'arrived')?.at;
  const restored = events.findLast(({ event }) => event === 'restored')?.at;
  const imaged = events.filter(({ event }) => event === 'imaged');
  const current = new Set(events.flatMap((event) => event.current ?? []));
  return {
    stoppageMs,
    parts: {
      criuMs: Math.round(criuMs),
      segueMs: Math.round(stoppageMs - criuMs - kernelMs),
      kernelMs,
      ...(arrived === undefined ? {} : { bootMs: arrived - span.to }),
      ...(arrived === undefined || restored === undefined ? {} : { restoreMs: restored - arrived }),
    },
    criuCounted,
    ...memoryImaged(events),
    imaged: new Set(imaged.map(({ unit }) => unit)).size,
    current: current.size,
    changed: new Set(events.flatMap(({ changed }) => (changed ?? []).map(({ unit }) => unit))).size,
    steps,
  };
}

/** Memory that was imaged in the stoppage, and what of the snapshots still held then. */
export function memoryImaged(events: readonly JournalEvent[]): { imagedMiB: number; earlierMiB: number } {
  const imaged = events.filter(({ event }) => event === 'imaged');
  const current = new Set(events.flatMap((event) => event.current ?? []));
  const wholes = events.filter(({ event, whole, unit }) => event === 'snapshot' && whole === true && current.has(unit ?? ''));
  return {
    imagedMiB: Math.round(bytesOf(imaged, ({ bytes }) => bytes) / MIB),
    earlierMiB: Math.round((bytesOf(imaged, ({ earlierBytes }) => earlierBytes) + bytesOf(wholes, ({ rounds }) => sum((rounds ?? []).map(({ bytes }) => bytes)))) / MIB),
  };
}

/** How long CRIU held one unit while it was imaged in the stoppage; by its own count, or else by the steps. */
export function freezeOf(unit: string, { steps }: Pick<Stoppage, 'steps'>): number | undefined {
  const own = steps.filter((step) => step.image && step.unit === unit);
  return own.length === 0 ? undefined : sum(own.map(({ heldMs, ms }) => heldMs ?? ms));
}
