import { UsageError } from '../errors.js';

/** Workloads that sleep: so many, each with so much memory. */
export interface Sleepers {
  readonly count: number;
  readonly mib: number;
}

/** What Redis holds, and what part of its pages is rewritten each second besides what clients ask for. */
export interface RedisLoad {
  readonly mib: number;
  readonly rewritten: number;
}

/** What is in the guest, beside one critical workload, and how it is upgraded. */
export interface Case {
  readonly name: string;
  readonly what: string;
  readonly sleepers: readonly Sleepers[];
  readonly redis: RedisLoad;
  /** Whether memory is imaged beforehand. */
  readonly prepare: boolean;
}

/** For trying out the benchmark itself: the part of the usual memory and of the usual number of workloads. */
const SCALE = 'SEGUE_BENCH_SCALE';
/** Below it, Segue takes no snapshot: what is to be measured would not be there. */
const LEAST_MIB = 32;

const scale = readScale(process.env[SCALE] ?? '1');
const many = (count: number, mib: number): Sleepers => ({ count: Math.max(1, Math.round(count * scale)), mib });
const large = (count: number, mib: number): Sleepers => ({ count, mib: scaled(mib) });
const scaled = (mib: number): number => Math.max(Math.min(mib, LEAST_MIB), Math.round(mib * scale));

export function readScale(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1)) throw new UsageError(`${SCALE} is ${text}, and is to be more than 0, and 1 at most`);
  return value;
}

/** As busy as clients that ask at a fixed rate make it, and small: what it costs hides little of what the others do. */
const SMALL: RedisLoad = { mib: 4, rewritten: 0 };
const LARGE: RedisLoad = { mib: scaled(1024), rewritten: 0.05 };
const SIZE_OF_MANY = 8;

export const CASES = {
  fewWorkloads: { what: '10 sleepers of 8 MiB', sleepers: [many(10, SIZE_OF_MANY)], redis: SMALL, prepare: true },
  manyWorkloads: { what: '200 sleepers of 8 MiB', sleepers: [many(200, SIZE_OF_MANY)], redis: SMALL, prepare: true },
  littleMemory: { what: '4 sleepers, 0.2 GiB in all', sleepers: [large(4, 51)], redis: SMALL, prepare: true },
  muchMemory: { what: '4 sleepers, 2 GiB in all', sleepers: [large(4, 512)], redis: SMALL, prepare: true },
  together: { what: '200 sleepers of 8 MiB and one of 448', sleepers: [many(200, SIZE_OF_MANY), large(1, 448)], redis: SMALL, prepare: true },
  togetherWhole: { what: 'the same, --no-prepare', sleepers: [many(200, SIZE_OF_MANY), large(1, 448)], redis: SMALL, prepare: false },
  busyRedis: { what: 'a Redis of 1 GiB, 5 % rewritten each second', sleepers: [], redis: LARGE, prepare: true },
  busyRedisWhole: { what: 'the same, --no-prepare', sleepers: [], redis: LARGE, prepare: false },
  besideService: { what: 'a Redis of 256 MiB, 2 sleepers of 512 MiB', sleepers: [large(2, 512)], redis: { mib: scaled(256), rewritten: 0 }, prepare: true },
} as const satisfies Record<string, Omit<Case, 'name'>>;

export type CaseName = keyof typeof CASES;

/** The size of the critical workload, and so of those that it is compared with. */
export const CRITICAL_MIB = SIZE_OF_MANY;
