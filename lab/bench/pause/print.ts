import { table } from '../../demo/table.js';
import type { Spread } from '../spread.js';
import type { Measurement } from './measure.js';
import { longestAbove, NEXT, PHASE_NAMES, PHASES } from './phases.js';
import type { Slope } from './slope.js';
import { byWay, middleOf, type Summary, type WaySummary } from './summary.js';

const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
const spread = ({ median, min, max }: Spread): string => (min === max ? seconds(median) : `${seconds(median)} (${(min / 1000).toFixed(1)}–${(max / 1000).toFixed(1)})`);

/** One run of one way as a few lines. */
export function measurementText({ way, run, criticalMs, allMs, networkMs, services, phases, laterMs, storeMiB, memoryMiB }: Measurement): string {
  return [
    `${way}, run ${run}: critical ${seconds(criticalMs)}, all ${seconds(allMs)}, network ${seconds(networkMs)}`,
    `  phases    ${PHASE_NAMES.map((name) => `${name} ${seconds(phases[name])}`).join(', ')}`,
    ...(Object.keys(services).length === 0 ? [] : [`  services  ${Object.entries(services).map(([name, ms]) => `${name} ${seconds(ms)}`).join(', ')}; later waits ${seconds(laterMs)} at most`]),
    ...(storeMiB === undefined ? [] : [`  store     ${storeMiB} MiB of images`]),
    ...(memoryMiB === undefined ? [] : [`  memory    ${Math.abs(memoryMiB)} MiB ${memoryMiB < 0 ? 'more' : 'less'} available than before`]),
  ].join('\n');
}

export function slopeText({ run, smallMiB, largeMiB, smallMs, largeMs, copyMs, slope }: Slope): string {
  return `memorySlope, run ${run}: Redis with ${smallMiB} MiB ${seconds(smallMs)}, with ${largeMiB} MiB ${seconds(largeMs)}; a copy of the difference ${seconds(copyMs)}: ${slope.toFixed(2)}`;
}

/** All ways in a table, and what was to be reached. */
export function summaryText(summary: Summary): string {
  const { floorMs, floor, ways, targets, accelerator, fullSize, measurements, failures } = summary;
  const rows: readonly (readonly [string, WaySummary])[] = [...(floor === undefined ? [] : [['floor', floor] as const]), ...Object.entries(ways)];
  const drawn = process.stdout.isTTY;
  const times = table(drawn, ['WAY', 'CRITICAL', 'ALL', 'IN FLOORS', 'STORE', 'MEMORY'], ['left', 'right', 'right', 'right', 'right', 'right'], rows.map(([way, { criticalMs, allMs, storeMiB, memoryMiB }]) =>
    [way, spread(criticalMs), way === 'floor' ? '' : spread(allMs), floorMs === undefined ? '' : (criticalMs.median / floorMs).toFixed(2), mib(storeMiB), mib(memoryMiB)]));
  const reached = table(drawn, ['TARGET', 'IS', 'IS TO BE', ''], ['left', 'right', 'right', 'left'], targets.map(({ what, value, target, at, reached: ok }) =>
    [what, value.toFixed(2), `${target} at ${at}`, ok ? 'reached' : 'NOT REACHED']));
  return [
    `Medians of ${Math.max(...byWay(measurements).map(([, each]) => each.length), 1)} runs (least–most), under ${accelerator === 'kvm' ? 'KVM' : 'emulation'}`,
    times,
    ...(targets.length === 0 ? [] : ['', reached]),
    ...failures.map(({ way, run, why }) => `FAILED: ${way}, run ${run}: ${why.split('\n')[0] ?? ''}`),
    ...(fullSize ? [] : ['These sizes are smaller than those that the targets are for.']),
    ...(targets.every((each) => each.reached) ? [] : ['', ...whereItGoes(summary)]),
  ].join('\n');
}

const mib = (value: number | undefined): string => (value === undefined ? '' : `${Math.round(value)} MiB`);

/** The phases of each Segue's middle run beside the floor's, and what its journal says of them. */
function whereItGoes({ floor, measurements }: Summary): string[] {
  const segues = byWay(measurements).filter(([way]) => way.startsWith('segue'));
  return segues.flatMap(([way, runs]) => {
    const { phases, stoppage, restored = [], services } = middleOf(runs);
    return [
      `Where the time of ${way} goes:`,
      ...PHASE_NAMES.map((name) => `  ${name.padEnd(6)} ${seconds(phases[name]).padStart(8)}${floor === undefined ? '' : `, the floor ${seconds(floor.phases[name])}`}  ${PHASES[name]}`),
      ...(stoppage === undefined ? [] : [`  of the stoppage: CRIU ${seconds(stoppage.criuMs)}, Segue ${seconds(stoppage.segueMs)}, writing to the disk ${seconds(stoppage.kernelMs)}`]),
      ...(restored.length === 0 ? [] : [`  restores, since the kernel's first tick: ${restored.map(({ unit, at, ms }) => `${unit} from ${seconds(at - ms)} to ${seconds(at)}`).join(', ')}`]),
      `  from outside: ${Object.entries(services).map(([name, ms]) => `${name} ${seconds(ms)}`).join(', ')}`,
      ...(floor === undefined ? [] : [`  most above the floor is ${longestAbove(phases, floor.phases)}; what to try next: ${NEXT[longestAbove(phases, floor.phases)]}`]),
    ];
  });
}
