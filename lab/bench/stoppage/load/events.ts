import { z } from 'zod';

/** An answer that is still on its way when the clients are to stop is waited for this long. */
export const STOP_MS = 120_000;

/** What the process with the load is told, as JSON, in its one argument. */
export const Load = z.object({
  host: z.string(),
  /** What Redis is to hold, and what part of its pages is rewritten each second. */
  mib: z.number(),
  rewritten: z.number(),
  /** How many connections, and how often each of them asks. */
  connections: z.int(),
  everyMs: z.number(),
});
export type Load = z.infer<typeof Load>;

const LoadResult = z.object({
  event: z.literal('result'),
  pages: z.int(),
  turns: z.array(z.tuple([z.number(), z.number(), z.union([z.literal(0), z.literal(1)])]).readonly()),
  rewritten: z.array(z.tuple([z.number(), z.int()]).readonly()),
});
export type LoadResult = z.infer<typeof LoadResult>;

/** What it says on its stdout, one JSON object a line. */
export const LoadEvent = z.discriminatedUnion('event', [
  /** Redis is filled, and the clients ask. */
  z.object({ event: z.literal('ready') }),
  /** A connection was lost, or an answer was wrong; the process ends. */
  z.object({ event: z.literal('broken'), why: z.string() }),
  /** The last event, after the process was told to stop. */
  LoadResult,
]);
export type LoadEvent = z.infer<typeof LoadEvent>;
