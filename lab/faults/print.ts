import { table } from '../demo/table.js';
import type { FaultOutcome, Trial } from './outcome.js';

const seconds = (ms: number | undefined): string => (ms === undefined ? '-' : `${(ms / 1000).toFixed(1)} s`);

export function trialText({ fault, what, struck, lost, became, stillMs, lockedMs, tookMs }: Trial): string {
  const verdict = !struck ? 'missed' : lost.length === 0 ? 'survived' : 'LOST';
  const times = stillMs === undefined ? '' : `, still for ${seconds(stillMs)}, locked for ${seconds(lockedMs)}`;
  return [`${verdict.padEnd(8)} ${fault}: ${what} (${seconds(tookMs)}${times})`, ...(became === undefined ? [] : [`         ${became}`]), ...lost.map((each) => `         lost: ${each}`)].join('\n');
}

/** The table, and below it what was lost. */
export function outcomesText(faults: readonly FaultOutcome[], drawn: boolean): string {
  const rows = faults.map(({ name, tried, survived, lost, longestStillMs, longestLockedMs }) => [name, String(tried), String(survived), String(lost.length), seconds(longestStillMs), seconds(longestLockedMs)]);
  const grid = table(drawn, ['FAULT', 'TRIED', 'SURVIVED', 'LOST', 'STILL FOR', 'LOCKED FOR'], ['left', 'right', 'right', 'right', 'right', 'right'], rows);
  return [grid, ...faults.flatMap(({ name, lost }) => lost.map((each) => `lost: ${name}: ${each}`))].join('\n');
}
