import { cacheKey } from '../../cache-key.js';
import type { Lab, SavedState } from '../../lab.js';
import type { Sleepers } from './cases.js';
import { installResidents, RESIDENTS, startResidents } from './residents.js';

const KERNEL = '6.12';
/** Of all cases alike: 200 workloads and their 2 GiB, and room for what the new kernel reads of their images. */
const MEMORY = '6G';
/** What else a guest has would stop together with the workloads, and hide what they cost. */
const OTHER_SERVICES = ['nginx', 'memcached', 'mariadb', 'postgresql'];

/**
 * A guest in which nothing but Redis is at work, set up by `segue setup`, and the first of these sleepers, which several
 * cases have in common: it takes minutes to start 200 of them. Each measurement begins with a fresh one.
 */
export async function preparedState(lab: Lab, [first]: readonly Sleepers[]): Promise<SavedState> {
  const base = await baseState(lab);
  if (first === undefined) return base;
  return await lab.state({ base, key: `bench ${first.count} of ${first.mib} MiB`, prepare: (guest) => startResidents(guest, [first]) });
}

async function baseState(lab: Lab): Promise<SavedState> {
  return await lab.state({
    base: { kernel: KERNEL, memory: MEMORY },
    key: `bench ${cacheKey({ OTHER_SERVICES, RESIDENTS })}`,
    prepare: async (guest) => {
      await guest.exec(['systemctl', 'disable', '--now', ...OTHER_SERVICES], { timeoutMs: 180_000 });
      await installResidents(guest);
      await guest.exec('segue setup --restart', { timeoutMs: 180_000 });
    },
  });
}
