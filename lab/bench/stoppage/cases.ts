import { scale, scaled } from '../scale.js';

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

/** Upgraded, with snapshots beforehand or without; or only prepared for it. */
export type Command = 'segue upgrade' | 'segue upgrade --no-prepare' | 'segue prepare';

/** What is in the guest, beside one critical workload, and what is done there. */
export interface Case {
  readonly sleepers: readonly Sleepers[];
  readonly redis: RedisLoad;
  readonly command: Command;
}

const many = (count: number, mib: number): Sleepers => ({ count: Math.max(1, Math.round(count * scale)), mib });
const large = (count: number, mib: number): Sleepers => ({ count, mib: scaled(mib) });

/** As busy as clients that ask at a fixed rate make it, and small: what it costs hides little of what the others do. */
const SMALL: RedisLoad = { mib: 4, rewritten: 0 };
const LARGE: RedisLoad = { mib: scaled(1024), rewritten: 0.05 };
const SIZE_OF_MANY = 8;

export const CASES = {
  fewWorkloads: { sleepers: [many(10, SIZE_OF_MANY)], redis: SMALL, command: 'segue upgrade' },
  manyWorkloads: { sleepers: [many(200, SIZE_OF_MANY)], redis: SMALL, command: 'segue upgrade' },
  littleMemory: { sleepers: [large(4, 51)], redis: SMALL, command: 'segue upgrade' },
  muchMemory: { sleepers: [large(4, 512)], redis: SMALL, command: 'segue upgrade' },
  together: { sleepers: [many(200, SIZE_OF_MANY), large(1, 448)], redis: SMALL, command: 'segue upgrade' },
  togetherWhole: { sleepers: [many(200, SIZE_OF_MANY), large(1, 448)], redis: SMALL, command: 'segue upgrade --no-prepare' },
  busyRedis: { sleepers: [], redis: LARGE, command: 'segue upgrade' },
  busyRedisWhole: { sleepers: [], redis: LARGE, command: 'segue upgrade --no-prepare' },
  besideService: { sleepers: [large(2, 512)], redis: { mib: scaled(256), rewritten: 0, forbidsSnapshots: true }, command: 'segue prepare' },
  imagedService: { sleepers: [large(2, 512)], redis: { mib: scaled(256), rewritten: 0 }, command: 'segue prepare' },
} as const satisfies Record<string, Case>;

export type CaseName = keyof typeof CASES;

/** The size of the critical workload, and so of those that it is compared with. */
export const CRITICAL_MIB = SIZE_OF_MANY;

/** A case in words, with the sizes that it really has. */
export function describeCase({ sleepers, redis, command }: Case): string {
  const sleeping = sleepers.map(({ count, mib }) => `${count} sleeping ${count === 1 ? 'workload' : 'workloads'} of ${mib} MiB`);
  const rewritten = redis.rewritten > 0 ? `, of which ${redis.rewritten * 100} % are rewritten each second` : '';
  const beside = redis.forbidsSnapshots === true ? ', which forbids snapshots' : '';
  return [...sleeping, `Redis with ${redis.mib} MiB${rewritten}${beside}`, 'a critical workload'].join(', ') + `; ${command}`;
}
