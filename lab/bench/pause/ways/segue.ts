import { LabError } from '../../../errors.js';
import { parseEvents } from '../../journal.js';
import { memoryImaged } from '../../parts.js';
import { upgrade } from '../../upgrade.js';
import type { Way } from './way.js';

const BACK_MS = 120_000;

/** `segue upgrade`, with these options. */
export function segue(what: string, options: readonly string[] = []): Way {
  return {
    what,
    async go(guest, prober) {
      const { id, state, workloads } = await upgrade(guest, options, 'newest');
      // A pause is worth nothing if it lost somebody.
      const lost = workloads.filter(({ fate }) => fate !== 'restored').map(({ unit, fate, why = 'it is not said why' }) => `${unit}: ${fate}, ${why}`);
      if (state !== 'settled' || lost.length > 0) throw new LabError([`the upgrade is ${state}`, ...lost].join('\n'));
      await prober.untilAnswering(BACK_MS);
      const { stdout } = await guest.exec(['cat', `/var/lib/segue/upgrades/${id}/journal.ndjson`]);
      const events = parseEvents(stdout);
      const { imagedMiB, earlierMiB } = memoryImaged(events);
      return { events, storeMiB: imagedMiB + earlierMiB };
    },
  };
}
