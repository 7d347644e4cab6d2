import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BaseOptions, Lab, SavedState } from '../lab.js';
import { installWorkloads } from './install.js';

/** Everything that `installWorkloads` brings into the guest. */
function contentHash(): string {
  const hash = createHash('sha256');
  const folder = fileURLToPath(new URL('.', import.meta.url));
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && !entry.name.endsWith('main.ts')) hash.update(readFileSync(join(entry.parentPath, entry.name)));
  }
  return hash.digest('hex').slice(0, 12);
}

/**
 * A guest with the stock services, a Node program and a plain process, set up by `segue setup` as an administrator
 * would: saved once, so that each upgrade begins seconds later.
 */
export async function preparedState(lab: Lab, kernel: string, more: Pick<BaseOptions, 'memory' | 'append'> = {}): Promise<SavedState> {
  return await lab.state({
    base: { kernel, ...more },
    key: `workloads ${contentHash()}, set up`,
    prepare: async (guest) => {
      await installWorkloads(guest);
      await guest.exec('segue setup --restart', { timeoutMs: 180_000 });
    },
  });
}
