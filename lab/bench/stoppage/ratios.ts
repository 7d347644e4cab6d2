import { median } from '../spread.js';
import type { CaseName } from './cases.js';
import type { ServiceMeasurement } from './measure-service.js';
import type { UpgradeMeasurement } from './measure-upgrade.js';

/** What the ratios are made of: one case, in one run. */
export interface Figures {
  readonly run: number;
  readonly name: string;
  readonly upgrade?: Pick<UpgradeMeasurement, 'stoppageMs' | 'redisFreezeMs'>;
  readonly service?: Pick<ServiceMeasurement, 'throughputLoss' | 'p99Growth' | 'p99AgainstCopy'>;
}

export interface Definition {
  readonly what: string;
  /** The case that is measured, and the one that it is compared with. */
  readonly cases: readonly [CaseName, CaseName] | readonly [CaseName];
  readonly figure: (figures: Figures) => number | undefined;
  /** What it is to be, at most. */
  readonly target: number;
}

export const RATIOS = {
  idleWorkloads: { what: 'the stoppage with 200 sleepers, against 10', cases: ['manyWorkloads', 'fewWorkloads'], figure: ({ upgrade }) => upgrade?.stoppageMs, target: 1.3 },
  idleMemory: { what: 'the stoppage with 2 GiB that sleep, against 0.2', cases: ['muchMemory', 'littleMemory'], figure: ({ upgrade }) => upgrade?.stoppageMs, target: 1.2 },
  againstNoPrepare: { what: 'the stoppage with snapshots, against --no-prepare', cases: ['together', 'togetherWhole'], figure: ({ upgrade }) => upgrade?.stoppageMs, target: 0.2 },
  busyRedisFreeze: { what: 'how long CRIU holds a busy Redis, against --no-prepare', cases: ['busyRedis', 'busyRedisWhole'], figure: ({ upgrade }) => upgrade?.redisFreezeMs, target: 0.2 },
  throughputLoss: { what: 'the throughput that Redis loses while memory is imaged beside it', cases: ['besideService'], figure: ({ service }) => service?.throughputLoss, target: 0.05 },
  p99Growth: { what: 'the 99th percentile of its answers meanwhile, against the quiet before', cases: ['besideService'], figure: ({ service }) => service?.p99Growth, target: 1.05 },
  p99AgainstCopy: { what: 'the same, against a plain copy to the disk of as much, of the lowest weight', cases: ['besideService'], figure: ({ service }) => service?.p99AgainstCopy, target: 1.05 },
  imagedLoss: { what: 'the throughput that Redis loses when its own memory is imaged, too', cases: ['imagedService'], figure: ({ service }) => service?.throughputLoss, target: 0.05 },
} as const satisfies Record<string, Definition>;

export type RatioName = keyof typeof RATIOS;
export const RATIO_NAMES = Object.keys(RATIOS) as RatioName[];

/** The cases that these ratios need, each once. */
export function casesFor(names: readonly RatioName[]): CaseName[] {
  return [...new Set(names.flatMap((name): readonly CaseName[] => RATIOS[name].cases.toReversed()))];
}

/**
 * Both sides of a ratio are from one run, minutes apart on one machine: of several runs it is the median of their ratios
 * that counts. What was not measured is left out.
 */
export function ratiosOf(measured: readonly Figures[]): Partial<Record<RatioName, number>> {
  const runs = [...new Set(measured.map(({ run }) => run))];
  return Object.fromEntries(RATIO_NAMES.flatMap((name) => {
    const { cases, figure }: Definition = RATIOS[name];
    const values = runs.flatMap((run) => {
      const [value, base] = cases.map((wanted) => {
        const found = measured.find((each) => each.run === run && each.name === wanted);
        return found === undefined ? undefined : figure(found);
      });
      if (value === undefined || (cases.length > 1 && base === undefined)) return [];
      return [base === undefined ? value : value / base];
    });
    const value = median(values);
    return value === undefined ? [] : [[name, value]];
  }));
}
