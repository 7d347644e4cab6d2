import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { cacheKey } from '../cache-key.js';
import { installPage } from '../demo/install.js';
import type { Lab, SavedState } from '../lab.js';

const KERNEL = '6.12';
/** An upgrade is tried hundreds of times: each further service would make each of them longer. */
const OTHER_SERVICES = ['memcached', 'mariadb'];
/** What Redis acknowledges is on its disk. */
const REDIS = "sed -i 's/^appendfsync .*/appendfsync always/' /etc/redis/redis.conf ";

/** As after the next start of a machine that was set up: on the way back no kernel has threads with the ids of the services. */
const LOW_IDS_FREE = "echo 3000 >/proc/sys/kernel/ns_last_pid && systemctl restart nginx redis-server 'postgresql@*' recorder asleep";

const content = (name: string): string => fileURLToPath(new URL(`content/${name}`, import.meta.url));
const FILES = {
  '/usr/local/bin/recorder': content('recorder'),
  '/etc/systemd/system/recorder.service': content('recorder.service'),
  '/etc/systemd/system/asleep.service': content('asleep.service'),
} as const;

/** What the faults befall: services that acknowledge what is on their disk, and some that have nothing there. */
export const SERVICES = [
  { pattern: 'nginx.service', clients: ['http-keepalive'] },
  { pattern: 'redis-server.service', clients: ['redis'] },
  { pattern: 'postgresql@*.service', clients: ['postgresql-commits'] },
  { pattern: 'recorder.service', clients: ['recorder'] },
  { pattern: 'asleep.service', clients: [] },
] as const;
/** A new connection each time: it fails while there is no machine, which is no loss of a service. */
export const VISITOR = 'http-new';
export const PATTERNS = SERVICES.map(({ pattern }) => pattern);

/** A guest with them, set up by `segue setup`. */
export async function preparedState(lab: Lab): Promise<SavedState> {
  const files = Object.values(FILES).map((path) => readFileSync(path, 'utf8'));
  return await lab.state({
    base: { kernel: KERNEL },
    key: `faults ${cacheKey({ OTHER_SERVICES, REDIS, LOW_IDS_FREE, files })}`,
    prepare: async (guest) => {
      await guest.exec(['systemctl', 'disable', '--now', ...OTHER_SERVICES], { timeoutMs: 180_000 });
      await installPage(guest);
      await guest.exec(REDIS);
      for (const [path, source] of Object.entries(FILES)) await guest.copyIn(source, path);
      await guest.exec('systemctl daemon-reload && systemctl enable recorder asleep');
      await guest.exec(LOW_IDS_FREE, { timeoutMs: 120_000 });
      await guest.exec('segue setup --restart', { timeoutMs: 180_000 });
    },
  });
}
