import { z } from 'zod';

/**
 * What the benchmark reads of a journal (docs/upgrade.md). Everything but the time and the name may be missing: older and
 * newer versions of Segue say less or more, and are to be measured by the same benchmark.
 */
const Event = z.object({
  at: z.string(),
  event: z.string(),
  phase: z.string().optional().catch(undefined),
  step: z.string().optional().catch(undefined),
  unit: z.string().optional().catch(undefined),
  /** Of an image: memory that it has itself, memory that a snapshot has for it, how long CRIU held the tasks. */
  bytes: z.number().optional().catch(undefined),
  earlierBytes: z.number().optional().catch(undefined),
  heldMs: z.number().optional().catch(undefined),
  rounds: z.array(z.object({ bytes: z.number(), heldMs: z.number() })).optional().catch(undefined),
  /** Of a snapshot: it is the whole image of a workload that sleeps. */
  whole: z.boolean().optional().catch(undefined),
  /** Units whose whole images were proven current in the stoppage. */
  current: z.array(z.string()).optional().catch(undefined),
  /** Units to which something had happened since theirs. */
  changed: z.array(z.object({ unit: z.string() })).optional().catch(undefined),
});

export interface JournalEvent extends Omit<z.infer<typeof Event>, 'at'> {
  /** Milliseconds since the epoch, by the guest's clock. */
  readonly at: number;
}

/** Throws when a line is no event: the upgrade is over and went well, so that nothing in it can be torn. */
export function parseEvents(text: string): JournalEvent[] {
  return text.split('\n').filter((line) => line.trim() !== '').map((line) => {
    const event = Event.parse(JSON.parse(line));
    const at = Date.parse(event.at);
    if (Number.isNaN(at)) throw new Error(`the journal has an event without a time: ${line}`);
    return { ...event, at };
  });
}
