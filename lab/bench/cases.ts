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
  /** It may not be held before the stoppage, as a drop-in can say. */
  readonly forbidsSnapshots?: boolean;
}

/** What is in the guest, beside one critical workload, and how it is upgraded. */
export interface Case {
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
  fewWorkloads: { sleepers: [many(10, SIZE_OF_MANY)], redis: SMALL, prepare: true },
  manyWorkloads: { sleepers: [many(200, SIZE_OF_MANY)], redis: SMALL, prepare: true },
  littleMemory: { sleepers: [large(4, 51)], redis: SMALL, prepare: true },
  muchMemory: { sleepers: [large(4, 512)], redis: SMALL, prepare: true },
  together: { sleepers: [many(200, SIZE_OF_MANY), large(1, 448)], redis: SMALL, prepare: true },
  togetherWhole: { sleepers: [many(200, SIZE_OF_MANY), large(1, 448)], redis: SMALL, prepare: false },
  busyRedis: { sleepers: [], redis: LARGE, prepare: true },
  busyRedisWhole: { sleepers: [], redis: LARGE, prepare: false },
  besideService: { sleepers: [large(2, 512)], redis: { mib: scaled(256), rewritten: 0, forbidsSnapshots: true }, prepare: true },
  imagedService: { sleepers: [large(2, 512)], redis: { mib: scaled(256), rewritten: 0 }, prepare: true },
} as const satisfies Record<string, Case>;

export type CaseName = keyof typeof CASES;

/** Whether the figures are those of the sizes that the targets are for. */
export const FULL_SIZE = scale === 1;

/** The size of the critical workload, and so of those that it is compared with. */
export const CRITICAL_MIB = SIZE_OF_MANY;

/** A case in words, with the sizes that it really has. */
export function describeCase({ sleepers, redis, prepare }: Case): string {
  const sleeping = sleepers.map(({ count, mib }) => `${count} sleeping ${count === 1 ? 'workload' : 'workloads'} of ${mib} MiB`);
  const rewritten = redis.rewritten > 0 ? `, of which ${redis.rewritten * 100} % are rewritten each second` : '';
  const beside = redis.forbidsSnapshots === true ? ', which forbids snapshots' : '';
  return [...sleeping, `Redis with ${redis.mib} MiB${rewritten}${beside}`, 'a critical workload'].join(', ') + (prepare ? '' : '; --no-prepare');
}
