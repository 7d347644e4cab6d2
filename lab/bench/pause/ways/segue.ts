import { LabError } from '../../../errors.js';
import { parseEvents } from '../../journal.js';
import { memoryImaged } from '../../parts.js';
import { upgrade } from '../../upgrade.js';
import { matches } from '../../../demo/services.js';
import { SERVICES } from '../services.js';
import type { Way } from './way.js';

const BACK_MS = 120_000;

/** `segue upgrade`, with these options. */
export function segue(what: string, options: readonly string[] = []): Way {
  return {
    what,
    async go(guest, prober) {
      const { id, state, workloads } = await upgrade(guest, options, 'newest');
      const lost = SERVICES.filter(({ unit }) => !workloads.some((each) => matches(each.unit, unit) && each.fate === 'restored'));
      if (state !== 'settled' || lost.length > 0) throw new LabError(`the upgrade is ${state}; not restored: ${lost.map(({ unit }) => unit).join(', ') || 'nobody'}\n${JSON.stringify(workloads, null, 2)}`);
      await prober.untilAnswering(BACK_MS);
      const { stdout } = await guest.exec(['cat', `/var/lib/segue/upgrades/${id}/journal.ndjson`]);
      const events = parseEvents(stdout);
      const { imagedMiB, earlierMiB } = memoryImaged(events);
      return { events, storeMiB: imagedMiB + earlierMiB };
    },
  };
}
