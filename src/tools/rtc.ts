import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Seconds of the machine's own clock, which goes on whatever kernel runs (rtc(4), Documentation/ABI/testing/sysfs-class-rtc). */
const SINCE_EPOCH = '/sys/class/rtc/rtc0/since_epoch';
const LOOK_EVERY_MILLISECONDS = 10;
/** Whoever was kept from looking for longer than this has missed when the second began, and waits for the next. */
const TOO_LATE_MILLISECONDS = 50;
const MAX_MILLISECONDS = 3000;

/**
 * By how many milliseconds the clock of this kernel is ahead of the machine's own. A kernel takes the time from that when it starts, but
 * whole seconds only: by what both are ahead the times of two kernels are compared. Undefined where the machine has none that goes.
 */
export async function aheadOfMachine(path = SINCE_EPOCH): Promise<number | undefined> {
  try {
    const end = performance.now() + MAX_MILLISECONDS;
    let second = readFileSync(path, 'utf8');
    for (let looked = performance.now(); looked < end; ) {
      await sleep(LOOK_EVERY_MILLISECONDS);
      const next = readFileSync(path, 'utf8');
      const now = performance.now();
      if (next !== second && now - looked < TOO_LATE_MILLISECONDS) return Date.now() - Number(next) * 1000;
      [second, looked] = [next, now];
    }
  } catch {
    // There is none.
  }
  return undefined;
}
