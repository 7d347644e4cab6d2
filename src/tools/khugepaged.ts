import { readFileSync, writeFileSync } from 'node:fs';

/** Every how many milliseconds the kernel makes huge pages of a few thousand small ones (Documentation/admin-guide/mm/transhuge.rst). */
export const HUGE_PAGES_PACE = '/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs';

/** Undefined where it makes none. */
export function hugePagesPace(): number | undefined {
  try {
    return Number(readFileSync(HUGE_PAGES_PACE, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Nothing but speed depends on it. */
export function setHugePagesPace(milliseconds: number): void {
  try {
    writeFileSync(HUGE_PAGES_PACE, milliseconds.toString(), { flag: 'r+' });
  } catch {
    // There is no such thing here, or it may not be changed.
  }
}
