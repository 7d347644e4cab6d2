import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from '../../errors.js';
import type { Guest, Lab } from '../../lab.js';
import { clockAhead, kernelStart } from '../clock.js';
import { makeStoppage, type Parts } from '../parts.js';
import { gapAround, lengthOf, longestAfter, longestGap, type Gap } from './gaps.js';
import { phasesOf, type Phases } from './phases.js';
import { preparedState } from './prepared.js';
import { Prober, type Answers } from './prober/prober.js';
import { restoreTimes, type Restored } from './restored.js';
import { NETWORK, SERVICES, type Service } from './services.js';
import { WAYS, type WayName } from './ways.js';
import type { Way } from './ways/way.js';

/** The prober watches for so long before anything is done, and after everything is back. */
const BEFORE_MS = 3000;
const AFTER_MS = 3000;

/** One way, once, as it was seen from outside. Milliseconds and MiB. */
export interface Measurement {
  readonly way: WayName;
  readonly run: number;
  readonly accelerator: string;
  /** Until the slowest of the critical workloads answered again. */
  readonly criticalMs: number;
  /** Until all did. */
  readonly allMs: number;
  /** Until the network answered. */
  readonly networkMs: number;
  /** The gap of each service. */
  readonly services: Readonly<Record<string, number>>;
  /** The longest that a critical workload kept its users waiting after it had come back. */
  readonly laterMs: number;
  /** Of the slowest critical workload. */
  readonly phases: Phases;
  /** What Segue's journal says of the stoppage, and of the restores. */
  readonly stoppage?: Parts;
  readonly restored?: readonly Restored[];
  readonly storeMiB?: number;
  /** By how much less memory is available on the new kernel than there was on the old one. */
  readonly memoryMiB?: number;
}

/** Takes a fresh guest this way. Throws when anything has not come back. */
export async function measure(lab: Lab, name: WayName, run: number): Promise<Measurement> {
  const way: Way = WAYS[name];
  await using guest = await lab.up({ state: await preparedState(lab, way.machine) });
  return { way: name, run, ...(await take(guest, way)) };
}

/** Takes a guest this way, under the eyes of these services' users. */
export async function take(guest: Guest, way: Way, services: readonly Service[] = SERVICES): Promise<Omit<Measurement, 'way' | 'run'>> {
  if (guest.record.namespace === undefined) throw new LabError('this benchmark needs a guest that can be reached from outside', { hint: 'run it as root' });
  const { accelerator } = guest.record;
  const all = services.map(({ name }) => name);
  const critical = services.flatMap(({ name, critical: is }) => (is ? [name] : []));
  await way.prepare?.(guest);
  const before = await available(guest);
  using prober = await Prober.start(guest, services);
  await sleep(BEFORE_MS);
  const account = await way.go(guest, prober);
  if (way.bare === true) {
    const { network } = gapsOf(await prober.stop(), [NETWORK]);
    const ms = Math.round(lengthOf(network!));
    const moments = { left: network!.from, kernel: network!.to - (account.kernelMs ?? 0) };
    return { accelerator, criticalMs: ms, allMs: ms, networkMs: ms, services: {}, laterMs: 0, phases: phasesOf(network!, moments) };
  }
  const kernel = await kernelStart(guest);
  const { stdout } = await guest.exec(['systemctl', 'show', '--property=UserspaceTimestampMonotonic', '--value']);
  const ahead = await clockAhead(guest);
  const after = await available(guest);
  await sleep(AFTER_MS);
  const answers = await prober.stop();

  const gaps = gapsOf(answers, [NETWORK, ...all], kernel);
  const slowest = critical.map((name) => gaps[name]!).reduce((a, b) => (a.to > b.to ? a : b));
  const lengths = Object.fromEntries(Object.entries(gaps).map(([name, gap]) => [name, Math.round(lengthOf(gap))]));
  const of = (names: readonly string[]): number => Math.max(...names.map((name) => lengths[name] ?? 0));
  return {
    accelerator,
    criticalMs: of(critical),
    allMs: of(all),
    networkMs: of([NETWORK]),
    services: lengths,
    laterMs: Math.round(Math.max(...critical.map((name) => longestAfter(answers[name] ?? [], gaps[name]!.to)))),
    phases: phasesOf(slowest, { left: gaps[NETWORK]!.from, kernel, userspace: kernel + Number(stdout) / 1000 }),
    ...(account.events === undefined ? {} : { stoppage: makeStoppage(account.events).parts, restored: restoreTimes(account.events, kernel + ahead) }),
    ...(account.storeMiB === undefined ? {} : { storeMiB: account.storeMiB }),
    memoryMiB: Math.round(before - after),
  };
}

/** The gap of each of these services: around a moment, or its longest. */
function gapsOf(answers: Answers, services: readonly string[], around?: number): Record<string, Gap> {
  return Object.fromEntries(services.map((service) => {
    const own = answers[service] ?? [];
    const gap = around === undefined ? longestGap(own) : gapAround(own, around);
    if (gap === undefined) throw new LabError(`${service} has no answers from before and after the new kernel's start`);
    return [service, gap];
  }));
}

async function available(guest: Guest): Promise<number> {
  const { stdout } = await guest.exec("sed -n 's/^MemAvailable: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo");
  return Number(stdout) / 1024;
}
