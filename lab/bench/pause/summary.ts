import { FULL_SIZE } from '../scale.js';
import { median, spreadOf, type Spread } from '../spread.js';
import type { Measurement } from './measure.js';
import type { Phases } from './phases.js';
import type { Slope } from './slope.js';
import { verdicts, type Verdict } from './targets.js';
import { WAY_NAMES, type WayName } from './ways.js';

/** One way, from all its runs. */
export interface WaySummary {
  readonly criticalMs: Spread;
  readonly allMs: Spread;
  readonly networkMs: Spread;
  readonly storeMiB?: number;
  readonly memoryMiB?: number;
  /** Of the run whose pause was the median, or the one next to it: the phases of one run make up its pause. */
  readonly phases: Phases;
}

/** A way that did not bring everything back: it has no pause. */
export interface Failure {
  readonly way: string;
  readonly run: number;
  readonly why: string;
}

/** What `--json` writes. What was not measured is left out. */
export interface Summary {
  readonly floorMs?: number;
  readonly floor?: WaySummary;
  readonly ways: Readonly<Record<string, WaySummary>>;
  readonly memorySlope?: number;
  readonly targets: readonly Verdict[];
  readonly fullSize: boolean;
  readonly accelerator: string;
  readonly measurements: readonly Measurement[];
  readonly slopes: readonly Slope[];
  readonly failures: readonly Failure[];
}

export function summarize(measurements: readonly Measurement[], slopes: readonly Slope[], failures: readonly Failure[] = []): Summary {
  const all: Partial<Record<string, WaySummary>> = Object.fromEntries(byWay(measurements).map(([way, runs]) => [way, summarizeWay(runs)]));
  const { floor, ...ways } = all;
  const memorySlope = median(slopes.map(({ slope }) => slope));
  const figures = {
    ...(floor === undefined ? {} : { floorMs: floor.criticalMs.median, floor }),
    ways: ways as Record<string, WaySummary>,
    ...(memorySlope === undefined ? {} : { memorySlope }),
  };
  return { ...figures, targets: verdicts(figures), fullSize: FULL_SIZE, accelerator: (measurements[0] ?? slopes[0])?.accelerator ?? '', measurements, slopes, failures };
}

/** The runs of each way, in the order of the ways. */
export function byWay(measurements: readonly Measurement[]): [WayName, Measurement[]][] {
  return WAY_NAMES.map((way): [WayName, Measurement[]] => [way, measurements.filter((each) => each.way === way)]).filter(([, runs]) => runs.length > 0);
}

export function middleOf(runs: readonly Measurement[]): Measurement {
  return runs.toSorted((a, b) => a.criticalMs - b.criticalMs)[Math.floor((runs.length - 1) / 2)]!;
}

function summarizeWay(runs: readonly Measurement[]): WaySummary {
  const storeMiB = median(runs.flatMap((run) => run.storeMiB ?? []));
  const memoryMiB = median(runs.flatMap((run) => run.memoryMiB ?? []));
  return {
    criticalMs: spreadOf(runs.map((run) => run.criticalMs))!,
    allMs: spreadOf(runs.map((run) => run.allMs))!,
    networkMs: spreadOf(runs.map((run) => run.networkMs))!,
    ...(storeMiB === undefined ? {} : { storeMiB }),
    ...(memoryMiB === undefined ? {} : { memoryMiB }),
    phases: middleOf(runs).phases,
  };
}
