import { kexec, reboot } from './ways/afresh.js';
import { floor } from './ways/floor.js';
import { sequential } from './ways/sequential.js';
import { segue, segueRam } from './ways/segue.js';
import type { Way } from './ways/way.js';

/** In the order in which they are tried. */
export const WAYS = {
  floor,
  segueDisk: segue('segue upgrade, images on disk'),
  segueRam,
  sequential,
  kexec,
  reboot,
} as const satisfies Record<string, Way>;

export type WayName = keyof typeof WAYS;
export const WAY_NAMES = Object.keys(WAYS) as WayName[];
