import { join } from 'node:path';
import type { Log } from './log.js';
import { findPlaces, type Places } from './paths.js';

/** What every part of the lab needs to know. */
export interface Workshop {
  readonly places: Places;
  readonly sshKey: string;
  readonly mirror: string | undefined;
  /** Ask the mirror again for what was noted down earlier. */
  readonly refresh: boolean;
  readonly log: Log;
}

export function openWorkshop(options: { mirror?: string | undefined; refresh?: boolean; log: Log }): Workshop {
  const places = findPlaces();
  return {
    places,
    sshKey: join(places.cache, 'ssh-key'),
    mirror: options.mirror ?? process.env['SEGUE_MIRROR'],
    refresh: options.refresh ?? false,
    log: options.log,
  };
}
