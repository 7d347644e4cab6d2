import Table from 'cli-table3';
import type { Outcome } from './outcome.js';
import { seconds } from './stage.js';

export type Align = 'left' | 'right';

/** Without lines, for files and pipes. */
const PLAIN = Object.fromEntries(
  [
    ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
    ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
  ].map((name) => [name, '']),
);

export function table(drawn: boolean, head: readonly string[], aligns: readonly Align[], rows: readonly (readonly string[])[]): string {
  const grid = new Table({
    head: [...head],
    colAligns: [...aligns],
    style: { head: [], border: [], compact: true, ...(drawn ? {} : { 'padding-left': 0, 'padding-right': 2 }) },
    ...(drawn ? {} : { chars: PLAIN }),
  });
  grid.push(...rows.map((row) => [...row]));
  return grid.toString();
}

export function serviceTable({ services }: Outcome, drawn: boolean): string {
  return table(
    drawn,
    ['SERVICE', 'PID BEFORE', 'PID AFTER', 'UPTIME BEFORE', 'UPTIME AFTER', 'CARRIED', 'PAUSE'],
    ['left', 'right', 'right', 'right', 'right', 'left', 'right'],
    services.map(({ unit, pidBefore, pidAfter, uptimeBefore, uptimeAfter, adopted, pauseMs }) => [
      unit,
      String(pidBefore),
      String(pidAfter),
      uptime(uptimeBefore),
      uptime(uptimeAfter),
      adopted ? 'yes' : 'NO',
      seconds(pauseMs),
    ]),
  );
}

export function clientTable({ clients }: Outcome, drawn: boolean): string {
  return table(
    drawn,
    ['CLIENT', 'ANSWERS CHECKED', 'CONNECTIONS LOST', 'ERRORS', 'PAUSE'],
    ['left', 'right', 'right', 'right', 'right'],
    clients.map(({ name, answers, lost, errors, pauseMs }) => [
      name,
      String(answers),
      String(lost),
      String(errors),
      seconds(pauseMs),
    ]),
  );
}

function uptime(value: number | undefined): string {
  return value === undefined ? '-' : `${Math.round(value)} s`;
}
