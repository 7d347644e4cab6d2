import { cacheKey } from '../cache-key.js';
import type { Lab, SavedState } from '../lab.js';
import { installResidents, RESIDENTS } from './residents.js';

const KERNEL = '6.12';
/** Of all cases alike: 200 workloads and their 2 GiB, and room for what the new kernel reads of their images. */
const MEMORY = '6G';
/** What else a guest has would stop together with the workloads, and hide what they cost. */
const OTHER_SERVICES = ['nginx', 'memcached', 'mariadb', 'postgresql'];

/** A guest in which nothing but Redis is at work, set up by `segue setup`; each measurement begins with a fresh one. */
export async function preparedState(lab: Lab): Promise<SavedState> {
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
