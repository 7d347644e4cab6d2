import type { Counts } from '../clients/client.js';
import type { ReportedResult } from '../clients/events.js';
import { DEMO_SERVICES, type UnitState } from './services.js';
import type { Ticks } from './ticks.js';
import type { Uptimes } from './uptimes.js';

/** The machine at one moment. */
export interface Moment {
  readonly kernel: string;
  /** Seconds. */
  readonly units: readonly UnitState[];
  readonly uptimes: Uptimes;
}

export interface ServiceOutcome {
  readonly unit: string;
  readonly pidBefore: number;
  readonly pidAfter: number;
  /** systemd has it as active, with the process it had before; if the program tells, it is older than the kernel. */
  readonly adopted: boolean;
  /** The longest that any of its clients saw. */
  readonly pauseMs: number;
  readonly uptimeBefore?: number;
  readonly uptimeAfter?: number;
}

export interface ClientOutcome extends Counts {
  readonly name: string;
  readonly pauseMs: number;
  readonly messages: readonly string[];
}

export interface Outcome {
  readonly kernel: { readonly before: string; readonly after: string };
  readonly services: readonly ServiceOutcome[];
  readonly clients: readonly ClientOutcome[];
}

export function makeOutcome(before: Moment, after: Moment, results: readonly ReportedResult[], ticks: Ticks): Outcome {
  const clients: ClientOutcome[] = [
    ...results,
    // The reader of its file is a client as well.
    { name: 'ticker', answers: ticks.right, lost: 0, errors: ticks.wrong, pauseMs: ticks.pauseMs, messages: [] },
  ];
  const services = DEMO_SERVICES.map((service, index): ServiceOutcome => {
    const [was, is] = [before.units[index], after.units[index]];
    if (was === undefined || is === undefined) throw new Error(`no unit for ${service.pattern}`);
    const pauses = clients.filter(({ name }) => service.clients.includes(name)).map(({ pauseMs }) => pauseMs);
    const samePid = is.active && is.pid !== 0 && is.pid === was.pid;
    const outcome = { unit: is.unit, pidBefore: was.pid, pidAfter: is.pid, pauseMs: Math.max(...pauses) };
    if (service.uptime === undefined) return { ...outcome, adopted: samePid };
    const uptimeBefore = before.uptimes[service.uptime];
    const uptimeAfter = after.uptimes[service.uptime];
    // A process id can come again; a life that goes on cannot.
    // Its clock stood still in the pause: a program that was started shortly before may be younger than the kernel.
    const adopted = samePid && uptimeAfter > uptimeBefore;
    return { ...outcome, adopted, uptimeBefore, uptimeAfter };
  });
  return { kernel: { before: before.kernel, after: after.kernel }, services, clients };
}

/** What went wrong, one line each; nothing if the upgrade was what it is to be. */
export function complaints({ kernel, services, clients }: Outcome): string[] {
  return [
    ...(kernel.before === kernel.after ? [`the kernel is still ${kernel.after}`] : []),
    ...services
      .filter(({ adopted }) => !adopted)
      .map(({ unit, pidBefore, pidAfter }) => `${unit} was not carried over (process ${pidBefore}, then ${pidAfter})`),
    ...clients
      .filter(({ lost, errors }) => lost > 0 || errors > 0)
      .map(({ name, lost, errors, messages }) =>
        [`${name}: ${lost} connections lost, ${errors} errors`, ...messages].join('\n    '),
      ),
    ...clients.filter(({ answers }) => answers === 0).map(({ name }) => `${name} had no answers at all`),
  ];
}

/** The outcome as `--json` writes it. */
export function toJson({ kernel, services, clients }: Outcome): object {
  return {
    kernel,
    services: services.map(({ unit, pidBefore, pidAfter, adopted, pauseMs }) => ({
      ...{ unit, pidBefore, pidAfter, adopted, pauseMs },
    })),
    clients: clients.map(({ name, answers, lost, errors, pauseMs }) => ({ name, answers, lost, errors, pauseMs })),
  };
}
