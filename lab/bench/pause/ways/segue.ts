import { LabError } from '../../../errors.js';
import { parseEvents } from '../../journal.js';
import { memoryImaged } from '../../parts.js';
import { upgrade } from '../../upgrade.js';
import type { Way } from './way.js';

const BACK_MS = 120_000;

/** The guest has as much for its work as those of the other ways, and its kernel was started as after `segue setup`. */
const REGION = '2G!4G';
const SETUP_MS = 60_000;

export const segueRam: Way = {
  ...segue('segue upgrade, images in memory', [], 'ram'),
  machine: { memory: '6G', append: `memmap=${REGION} segue.ram=${REGION}` },
  async prepare(guest) {
    await guest.exec(`segue setup --ram-store 2G && grep -qxF '${REGION}' /etc/segue/ram-store`, { timeoutMs: SETUP_MS });
  },
};

/** `segue upgrade`, with these options. */
export function segue(what: string, options: readonly string[] = [], store: 'disk' | 'ram' = 'disk'): Way {
  return {
    what,
    async go(guest, prober) {
      const { id, state, store: used, workloads } = await upgrade(guest, options, 'newest');
      // A pause is worth nothing if it lost somebody.
      const lost = workloads.filter(({ fate }) => fate !== 'restored').map(({ unit, fate, why = 'it is not said why' }) => `${unit}: ${fate}, ${why}`);
      if (state !== 'settled' || lost.length > 0) throw new LabError([`the upgrade is ${state}`, ...lost].join('\n'));
      if (used !== store) throw new LabError(`its images were not where they should be, but ${used === 'ram' ? 'in memory' : 'on the disk'}`);
      await prober.untilAnswering(BACK_MS);
      const { stdout } = await guest.exec(['cat', `/var/lib/segue/upgrades/${id}/journal.ndjson`]);
      const events = parseEvents(stdout);
      const { imagedMiB, earlierMiB } = memoryImaged(events);
      return { events, storeMiB: imagedMiB + earlierMiB };
    },
  };
}
