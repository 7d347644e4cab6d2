import type { Step } from '../model/step.ts';

/** After a snapshot a unit is left in peace for so long, milliseconds; each time that it is out of date right away, twice as long. */
const PEACE = 60_000;
const LONGEST_PEACE = 3_600_000;

/** Who is held for a snapshot again and again would notice. */
export class Patience {
  readonly #units = new Map<string, { readonly until: number; readonly peace: number }>();
  readonly #now: () => number;

  constructor(now = (): number => performance.now()) {
    this.#now = now;
  }

  /** Whether this step may hold its unit now; if so, the unit is left in peace afterwards. The steps of one time go together. */
  allows({ unit, phase }: Step): boolean {
    if (unit === undefined || phase !== 'snapshot') return true;
    const last = this.#units.get(unit);
    const now = this.#now();
    if (last !== undefined && now < last.until) return now < last.until - last.peace + TOGETHER;
    const soon = last !== undefined && now < last.until + last.peace;
    const peace = soon ? Math.min(2 * last.peace, LONGEST_PEACE) : PEACE;
    this.#units.set(unit, { until: now + peace, peace });
    return true;
  }
}

/** The memory of a unit is imaged in rounds, right before all of it is. */
const TOGETHER = 30_000;
