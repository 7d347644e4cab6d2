import { UsageError } from '../errors.js';

/** For trying out a benchmark itself: the part of the usual memory and of the usual number of workloads. */
const SCALE = 'SEGUE_BENCH_SCALE';

export function readScale(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1)) throw new UsageError(`${SCALE} is ${text}, and is to be more than 0, and 1 at most`);
  return value;
}

export const scale = readScale(process.env[SCALE] ?? '1');

/** Whether the figures are those of the sizes that the targets are for. */
export const FULL_SIZE = scale === 1;

/** Below it, Segue takes no snapshot: what is to be measured would not be there. */
const LEAST_MIB = 32;

/** So much memory at full size, less at another, but not less than makes sense. */
export const scaled = (mib: number): number => Math.max(Math.min(mib, LEAST_MIB), Math.round(mib * scale));
