import type { Span } from '../../steps.js';

/** One turn of a client: when, milliseconds since the epoch; how long it waited for its answer; whether it asked at all. */
export type Turn = readonly [at: number, waitedMs: number, asked: 0 | 1];

/** How a service answered for a while. */
export interface Service {
  readonly seconds: number;
  readonly answersPerSecond: number;
  /** 99 of 100 turns waited no longer. */
  readonly p99Ms: number;
  readonly longestMs: number;
}

/**
 * What clients got in these spans of time. A turn that came while the client still waited for the answer before is lost to the
 * throughput; to the percentile it has waited from its time to that answer, as whoever it stands for would have.
 */
export function serviceIn(turns: readonly Turn[], spans: readonly Span[]): Service | undefined {
  const within = turns.filter(([at]) => spans.some(({ from, to }) => at >= from && at < to));
  const waits = within.map(([, waitedMs]) => waitedMs).sort((a, b) => a - b);
  const longestMs = waits.at(-1);
  if (longestMs === undefined) return undefined;
  const seconds = spans.reduce((sum, { from, to }) => sum + to - from, 0) / 1000;
  return {
    seconds: round(seconds),
    answersPerSecond: round(within.filter(([, , asked]) => asked === 1).length / seconds),
    p99Ms: round(waits[Math.ceil(waits.length * 0.99) - 1] ?? longestMs),
    longestMs: round(longestMs),
  };
}

/** The part of the throughput that was lost; less than nothing when there was more of it. */
export const throughputLoss = (before: Service, during: Service): number => 1 - during.answersPerSecond / before.answersPerSecond;

const round = (value: number): number => Math.round(value * 10) / 10;
