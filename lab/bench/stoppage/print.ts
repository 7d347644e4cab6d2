import type { Measured } from './measure.js';
import type { ServiceMeasurement } from './measure-service.js';
import type { UpgradeMeasurement } from './measure-upgrade.js';
import type { Service } from './load/answers.js';
import { RATIO_NAMES, RATIOS, type Definition, type RatioName } from './ratios.js';
import type { Stop } from './timeline.js';

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const percent = (part: number): string => `${(part * 100).toFixed(1)} %`;

/** One case as a few lines. */
export function measurementText({ name, what, run, upgrade, service }: Measured): string {
  return [`${name}, run ${run}: ${what}`, ...(upgrade ? upgradeText(upgrade) : []), ...(service ? serviceText(service) : [])].join('\n');
}

function serviceText({ quiet, besideSnapshots, besideCopy, besideLoops }: ServiceMeasurement): string[] {
  const text = ({ answersPerSecond, p99Ms, longestMs, seconds: long }: Service): string => `${answersPerSecond} answers a second, p99 ${p99Ms} ms, longest ${longestMs} ms (${long} s)`;
  return [
    `  redis     while nothing else happens: ${text(quiet)}`,
    `            while memory is imaged: ${text(besideSnapshots)}`,
    `            beside a plain copy to the disk of as much, of the lowest weight: ${text(besideCopy)}`,
    `            beside loops of that weight, which only compute: ${text(besideLoops)}`,
  ];
}

function upgradeText(measured: UpgradeMeasurement): string[] {
  const { stoppageMs, parts, criuCounted, imaged, imagedMiB, earlierMiB, current, changed, redisFreezeMs, rewritten } = measured;
  const after = [parts.bootMs === undefined ? [] : `boot ${seconds(parts.bootMs)} (the kernel)`, parts.restoreMs === undefined ? [] : `restore ${seconds(parts.restoreMs)} (CRIU, and Segue's units)`].flat();
  return [
    `  stoppage  ${seconds(stoppageMs)} = CRIU ${seconds(parts.criuMs)}${criuCounted ? '' : ' (all of the imaging: it is not said how long tasks were held)'} + Segue ${seconds(parts.segueMs)} + the kernel ${seconds(parts.kernelMs)}`,
    ...(after.length === 0 ? [] : [`  then      ${after.join(', ')}`]),
    `  memory    ${imagedMiB} MiB of ${imaged} workloads imaged while stopped, ${earlierMiB} MiB before; ${current} workloads proven current, ${changed} not`,
    `  longest   ${longestSteps(measured).join('; ')}`,
    ...(redisFreezeMs === undefined ? [] : [`  redis     held for ${seconds(redisFreezeMs)} while it was imaged`]),
    ...(rewritten === undefined ? [] : [`  rewritten ${percent(rewritten.before)} of its pages each second before${rewritten.during === undefined ? '' : `, ${percent(rewritten.during)} meanwhile`}`]),
    ...timelineText(measured).map((line) => `  ${line}`),
  ];
}

/** Steps of one title, whatever they are about, are one kind. */
function longestSteps({ steps }: UpgradeMeasurement): string[] {
  const kinds = new Map<string, { count: number; ms: number }>();
  for (const { step, ms } of steps) {
    const kind = step.replace(/ \(\d+\)/, '').replace(/ of priority \d+/, '');
    const { count, ms: total } = kinds.get(kind) ?? { count: 0, ms: 0 };
    kinds.set(kind, { count: count + 1, ms: total + ms });
  }
  return [...kinds].sort(([, a], [, b]) => b.ms - a.ms).slice(0, 4).map(([kind, { count, ms }]) => `${kind} ${seconds(ms)}${count === 1 ? '' : ` (${count} steps, side by side or not)`}`);
}

/** Who was stopped when; instances of one template that differ by number only are one line. */
function timelineText({ timeline, critical }: UpgradeMeasurement): string[] {
  const lines = [...grouped(timeline)].map(([label, stops]) => {
    const range = (of: (stop: Stop) => number): string => {
      const [least, most] = [Math.min(...stops.map(of)), Math.max(...stops.map(of))];
      return least === most ? seconds(least) : `${(least / 1000).toFixed(1)}–${seconds(most)}`;
    };
    const held = Math.max(...stops.map(({ snapshotHeldMs }) => snapshotHeldMs ?? 0));
    const before = held === 0 ? '' : `; by a snapshot before, for ${held} ms at most`;
    return `stopped   at ${range(({ at }) => at)}, for ${range(({ forMs }) => forMs)}: ${label}${stops.length === 1 ? '' : ` (${stops.length})`}${before}`;
  });
  if (critical === undefined) return lines;
  const others = critical.othersMs === undefined ? '' : `; others of its size ${seconds(critical.othersMs)} at least`;
  return [...lines, `critical  stopped ${critical.last ? 'last of all' : 'NOT LAST'}, for ${seconds(critical.forMs)}${others}`];
}

function grouped(stops: readonly Stop[]): Map<string, Stop[]> {
  const groups = new Map<string, Stop[]>();
  for (const stop of stops) {
    const label = stop.unit.replace(/-\d+\.service$/, '-*.service');
    groups.set(label, [...(groups.get(label) ?? []), stop]);
  }
  return groups;
}

export function ratiosText(ratios: Partial<Record<RatioName, number>>): string {
  return RATIO_NAMES.flatMap((name) => {
    const value = ratios[name];
    if (value === undefined) return [];
    const { what, target }: Definition = RATIOS[name];
    const verdict = `${value <= target ? 'within' : 'ABOVE'} ${target.toFixed(2)}`;
    return [`${name.padEnd(16)} ${value.toFixed(2).padStart(6)}  ${verdict.padEnd(11)}  ${what}`];
  }).join('\n');
}
