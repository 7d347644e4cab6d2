import { z } from 'zod';

/** What the process with the clients is told, as JSON, in its one argument. */
export const Assignment = z.object({
  host: z.string(),
  clients: z.array(z.object({ name: z.string(), port: z.int().optional(), patienceMs: z.number().optional() })),
  /** Of all of them alike; see Target. */
  intervalMs: z.number().optional(),
});
export type Assignment = z.infer<typeof Assignment>;

const counts = { name: z.string(), answers: z.int(), lost: z.int(), errors: z.int() };

const ReportedResult = z.object({
  ...counts,
  pauseMs: z.int(),
  longestGaps: z.array(z.object({ startedAt: z.string(), ms: z.int() })).readonly(),
  messages: z.array(z.string()).readonly(),
  detail: z.record(z.string(), z.union([z.string(), z.number()])).readonly().optional(),
});

/** A client's result as it arrives. */
export type ReportedResult = z.infer<typeof ReportedResult>;

/** What it says on its stdout, one JSON object a line. */
export const ClientEvent = z.discriminatedUnion('event', [
  /** This client has its first answers. */
  z.object({ event: z.literal('ready'), client: z.string() }),
  /** All clients have. */
  z.object({ event: z.literal('all-ready') }),
  /** This client cannot use its server; the process ends. */
  z.object({ event: z.literal('unusable'), client: z.string(), message: z.string() }),
  /** Once a second. */
  z.object({ event: z.literal('progress'), clients: z.array(z.object({ ...counts, waitingMs: z.int() })) }),
  /** The last event, after the process was told to stop. */
  z.object({ event: z.literal('result'), results: z.array(ReportedResult) }),
]);
export type ClientEvent = z.infer<typeof ClientEvent>;
