import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from '../../errors.js';
import type { Guest, Lab } from '../../lab.js';
import { clockAhead, kernelStart } from '../clock.js';
import { gapAround, lengthOf, longestAfter, longestGap, type Gap } from './gaps.js';
import { phasesOf, type Phases } from './phases.js';
import { preparedState } from './prepared.js';
import { Prober, type Answers } from './prober/prober.js';
import { restoreTimes, type Restored } from './restored.js';
import { CARRIED, CRITICAL, NETWORK } from './services.js';
import { WAYS, type WayName } from './ways.js';
import type { Way } from './ways/way.js';

/** The prober watches for so long before anything is done, and after everything is back. */
const BEFORE_MS = 3000;
const AFTER_MS = 3000;

/** One way, once, as it was seen from outside. Milliseconds and MiB. */
export interface Measurement {
  readonly way: WayName;
  readonly run: number;
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
  /** What Segue's journal says of the restores. */
  readonly restored?: readonly Restored[];
  readonly storeMiB?: number;
  /** By how much less memory is available on the new kernel than there was on the old one. */
  readonly memoryMiB?: number;
}

/** Takes a fresh guest this way. Throws when anything has not come back. */
export async function measure(lab: Lab, name: WayName, run: number): Promise<Measurement> {
  const way: Way = WAYS[name];
  await using guest = await lab.up({ state: await preparedState(lab) });
  return { way: name, run, ...(await take(guest, way)) };
}

export async function take(guest: Guest, way: Way): Promise<Omit<Measurement, 'way' | 'run'>> {
  if (guest.record.namespace === undefined) throw new LabError('this benchmark needs a guest that can be reached from outside', { hint: 'run it as root' });
  await way.prepare?.(guest);
  const before = await available(guest);
  using prober = await Prober.start(guest, [NETWORK, ...CARRIED]);
  await sleep(BEFORE_MS);
  const account = await way.go(guest, prober);
  if (way.bare === true) {
    const { network } = gapsOf(await prober.stop(), [NETWORK]);
    const ms = lengthOf(network!);
    const moments = { left: network!.from, kernel: network!.to - (account.kernelMs ?? 0) };
    return { criticalMs: ms, allMs: ms, networkMs: ms, services: {}, laterMs: 0, phases: phasesOf(network!, moments) };
  }
  const kernel = await kernelStart(guest);
  const { stdout } = await guest.exec(['systemctl', 'show', '--property=UserspaceTimestampMonotonic', '--value']);
  const ahead = await clockAhead(guest);
  const after = await available(guest);
  await sleep(AFTER_MS);
  const answers = await prober.stop();

  const gaps = gapsOf(answers, [NETWORK, ...CARRIED], kernel);
  const slowest = CRITICAL.map((service) => gaps[service]!).reduce((a, b) => (a.to > b.to ? a : b));
  const services = Object.fromEntries(Object.entries(gaps).map(([service, gap]) => [service, Math.round(lengthOf(gap))]));
  const of = (names: readonly string[]): number => Math.max(...names.map((service) => services[service] ?? 0));
  return {
    criticalMs: of(CRITICAL),
    allMs: of(CARRIED),
    networkMs: of([NETWORK]),
    services,
    laterMs: Math.round(Math.max(...CRITICAL.map((service) => longestAfter(answers[service] ?? [], gaps[service]!.to)))),
    phases: phasesOf(slowest, { left: gaps[NETWORK]!.from, kernel, userspace: kernel + Number(stdout) / 1000 }),
    ...(account.events === undefined ? {} : { restored: restoreTimes(account.events, kernel + ahead) }),
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
