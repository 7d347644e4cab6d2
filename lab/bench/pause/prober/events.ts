import { z } from 'zod';

/** What the prober is told, as JSON, in its one argument. */
export const Assignment = z.object({ host: z.string(), services: z.array(z.string()), calmMs: z.number() });
export type Assignment = z.infer<typeof Assignment>;

/** What it says on its stdout, one JSON object a line. */
export const ProberEvent = z.discriminatedUnion('event', [
  /** Several times a second: when each service answered last, and its longest gap until now. */
  z.object({ event: z.literal('progress'), services: z.array(z.object({ name: z.string(), answers: z.int(), last: z.number(), longestMs: z.number(), trouble: z.string().optional() })) }),
  /** The last event, after its stdin has ended: when the good answers came, milliseconds since the epoch. */
  z.object({ event: z.literal('result'), answers: z.record(z.string(), z.array(z.number())) }),
]);
export type ProberEvent = z.infer<typeof ProberEvent>;
export type Progress = Extract<ProberEvent, { event: 'progress' }>['services'][number];
