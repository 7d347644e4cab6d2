import type { ReportedResult } from '../clients/events.js';
import type { UnitState } from '../demo/services.js';
import type { Traces } from '../inside/traces.js';

/** Services that do not run, or not as the processes that they were. */
export function lostUnits(before: readonly UnitState[], after: readonly UnitState[]): string[] {
  return before.flatMap(({ unit, pid }) => {
    const is = after.find((each) => each.unit === unit);
    if (is?.active !== true) return [`${unit} does not run`];
    return is.pid === pid ? [] : [`${unit}: its process ${pid} is gone, ${is.pid} has taken its place`];
  });
}

/** What an upgrade has left behind, but for the services. */
export function leftBehind({ lockTables, stoppedTasks, frozenUnits, slowedUnits, tracing, loadedKernels, handovers, linkRemaps }: Traces): string[] {
  return [
    ...lockTables.map((table) => `sockets are locked: ${table}`),
    ...stoppedTasks.map((task) => `a task stands still: ${task}`),
    ...frozenUnits.map((path) => `a unit is frozen: ${path}`),
    ...slowedUnits.map((path) => `a unit is slow: ${path}`),
    ...tracing.map((instance) => `left behind: the kernel counts calls in ${instance}`),
    ...(loadedKernels.join() === '0' ? [] : ['left behind: a kernel is loaded']),
    ...handovers.map((path) => `left behind: images in ${path}`),
    ...linkRemaps.map((path) => `left behind: ${path}`),
  ];
}

/** What clients outside have lost. */
export function lostByClients(results: readonly ReportedResult[]): string[] {
  return results
    .filter(({ lost, errors }) => lost > 0 || errors > 0)
    .map(({ name, lost, errors, messages }) => `client ${name}: ${lost} connections lost, ${errors} errors: ${messages.join('; ')}`);
}
