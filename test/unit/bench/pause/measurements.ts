import type { Measurement } from '../../../../lab/bench/pause/measure.js';
import type { WayName } from '../../../../lab/bench/pause/ways.js';

export const measurement = (way: WayName, run: number, criticalMs: number, allMs = criticalMs): Measurement => ({
  way,
  run,
  accelerator: 'tcg',
  criticalMs,
  allMs,
  networkMs: criticalMs / 2,
  services: { nginx: criticalMs },
  laterMs: 0,
  phases: { stop: criticalMs / 4, kexec: criticalMs / 4, boot: criticalMs / 4, start: criticalMs / 4 },
});
