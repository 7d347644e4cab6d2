import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { cacheKey } from '../cache-key.js';
import { installPage } from '../demo/install.js';
import type { Lab, SavedState } from '../lab.js';

const KERNEL = '6.12';
/** An upgrade is tried hundreds of times: each further service would make each of them longer. */
const OTHER_SERVICES = ['memcached', 'mariadb'];
/** What Redis acknowledges is on its disk. */
const REDIS = "sed -i 's/^appendfsync .*/appendfsync always/' /etc/redis/redis.conf && systemctl restart redis-server";

const content = (name: string): string => fileURLToPath(new URL(`content/${name}`, import.meta.url));
const FILES = {
  '/usr/local/bin/recorder': content('recorder'),
  '/etc/systemd/system/recorder.service': content('recorder.service'),
} as const;

/** What the faults befall: services that acknowledge what is on their disk, and one that has none. */
export const SERVICES = ['nginx.service', 'redis-server.service', 'postgresql@*.service', 'recorder.service'] as const;
/** Who uses them from outside. */
export const CLIENT_NAMES = ['http-keepalive', 'http-new', 'redis', 'postgresql-commits', 'recorder'] as const;

/** A guest with them, set up by `segue setup`. */
export async function preparedState(lab: Lab): Promise<SavedState> {
  const files = Object.values(FILES).map((path) => readFileSync(path, 'utf8'));
  return await lab.state({
    base: { kernel: KERNEL },
    key: `faults ${cacheKey({ OTHER_SERVICES, REDIS, files })}`,
    prepare: async (guest) => {
      await guest.exec(['systemctl', 'disable', '--now', ...OTHER_SERVICES], { timeoutMs: 180_000 });
      await installPage(guest);
      await guest.exec(REDIS);
      for (const [path, source] of Object.entries(FILES)) await guest.copyIn(source, path);
      await guest.exec('systemctl daemon-reload && systemctl enable --now recorder');
      await guest.exec('segue setup --restart', { timeoutMs: 180_000 });
    },
  });
}
