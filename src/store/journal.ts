import { appendFileSync, closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { failed, ok, type Result } from '../failure/result.ts';
import { handoverPaths } from '../model/handover.ts';

/** The scripts write every value as a text. */
const number = z.union([z.number(), z.string().regex(/^-?\d+(\.\d+)?$/).transform(Number).pipe(z.number())]).optional().catch(undefined);

/**
 * One line of journal.ndjson. segue and the scripts in boot/ write them, each on disk before what it announces takes
 * effect; the file crosses the jump with the store.
 */
const Event = z.object({
  /** RFC 3339, the clock of the kernel that wrote it. */
  at: z.string().refine((at) => !Number.isNaN(Date.parse(at))),
  kernel: z.string(),
  event: z.string(),
  unit: z.string().optional(),
  step: z.string().optional(),
  phase: z.string().optional(),
  why: z.string().optional(),
  what: z.string().optional(),
  from: z.string().optional(),
  to: z.string().optional(),
  rounds: z.array(z.object({ bytes: z.number(), heldMs: z.number() })).readonly().optional(),
  slowedAt: z.string().optional(),
  slowedTo: z.string().optional(),
  bytes: z.number().optional(),
  earlierBytes: z.number().optional(),
  heldMs: z.number().optional(),
  mended: z.number().optional(),
  /** Seconds since the kernel's first tick: now, when process 1 began, and when the root filesystem was mounted. */
  uptime: number,
  initAt: number,
  rootAt: number,
  /** By how much the clock of this kernel is ahead of the machine's own, milliseconds. */
  clockMs: number,
  /** For how long its tasks have run again, milliseconds. */
  adoptionMs: number,
  /** What the hand-over is kept in, and why not in memory. */
  store: z.string().optional(),
  storeWhy: z.string().optional(),
  /** Days. */
  keepImages: z.number().optional(),
  whole: z.boolean().optional(),
  current: z.array(z.string()).readonly().optional(),
  stoppedAt: z.string().optional(),
  changed: z.array(z.object({ unit: z.string(), why: z.string() })).readonly().optional(),
  units: z.array(z.object({ unit: z.string(), fate: z.enum(['carried', 'stopped']), pid: z.number(), memory: z.number() })).optional(),
});
export type JournalEvent = z.infer<typeof Event>;

type News = Omit<JournalEvent, 'at' | 'kernel'>;

export interface Journal {
  readonly id: string;
  /** Throws when the disk says no: then what it announces must not take effect. */
  append(event: News): void;
}

const pathOf = (store: string, id: string): string => `${handoverPaths(store, id).upgrade}/journal.ndjson`;
const spell = (kernel: string, event: News): string => `${JSON.stringify({ at: new Date().toISOString(), kernel, ...event })}\n`;

/** An id that sorts by time and can stand on a kernel command line. */
export const newId = (now: Date): string => now.toISOString().replace(/[-:]/g, '').replace(/\.\d+Z$/, '').replace('T', '-');

export function openJournal(store: string, id: string, kernel: string): Journal {
  const { upgrade } = handoverPaths(store, id);
  mkdirSync(upgrade, { recursive: true, mode: 0o700 });
  const folder = openSync(upgrade, 'r');
  const file = openSync(pathOf(store, id), 'a', 0o600);
  fsyncSync(folder);
  closeSync(folder);
  return {
    id,
    append(event) {
      appendFileSync(file, spell(kernel, event));
      fsyncSync(file);
    },
  };
}

/** For what must be done whether the disk takes word of it or not: one that is full, or does not answer, is waited for no longer. */
export async function tryToAppend({ store, id, kernel }: { readonly store: string; readonly id: string; readonly kernel: string }, event: News, seconds: number): Promise<void> {
  const written = appendFile(pathOf(store, id), spell(kernel, event), { mode: 0o600, flush: true }).catch(() => undefined);
  await Promise.race([written, sleep(seconds * 1000, undefined, { ref: false })]);
}

/**
 * An event that a power cut has torn is left out, as is what a newer segue wrote and this one does not know. What was
 * written next stands in the same line, after the torn one or after zeros that the filesystem left: no text within an
 * event looks like its beginning.
 */
export function parseJournal(text: string): JournalEvent[] {
  return text.split('\n').flatMap((line) => {
    try {
      const parsed = Event.safeParse(JSON.parse(line.slice(Math.max(0, line.lastIndexOf('{"at":')))));
      return parsed.success ? [parsed.data] : [];
    } catch {
      return [];
    }
  });
}

/** Undefined when there is none, or nothing in it can be read: that upgrade had not begun. */
export function readJournal(store: string, id: string): JournalEvent[] | undefined {
  try {
    const events = parseJournal(readFileSync(pathOf(store, id), 'utf8'));
    return events.length === 0 ? undefined : events;
  } catch {
    return undefined;
  }
}

/** What was written last. */
export function lastEvent(store: string, id: string): JournalEvent | undefined {
  try {
    const text = readFileSync(pathOf(store, id), 'utf8').trimEnd();
    return parseJournal(text.slice(text.lastIndexOf('\n') + 1))[0];
  } catch {
    return undefined;
  }
}

/** The ids of all upgrades, oldest first. */
export function upgradeIds(store: string): Result<string[]> {
  try {
    return ok(readdirSync(`${store}/upgrades`).filter((name) => /^[0-9A-Za-z-]+$/.test(name)).sort());
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? failed({ reason: 'not-root' }) : ok([]);
  }
}

/** Bytes; it only grows. */
export function journalSize(store: string, id: string): number {
  try {
    return statSync(pathOf(store, id)).size;
  } catch {
    return 0;
  }
}
