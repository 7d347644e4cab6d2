import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PAGE_BODY, PAGE_PATH } from '../clients/page.js';
import type { Guest } from '../guest/guest.js';
import { bundleProgram } from './node-program/bundle.js';

const FILES = {
  '/etc/systemd/system/counter.service': 'node-program/counter.service',
  '/etc/systemd/system/ticker.service': 'plain/ticker.service',
  '/usr/local/bin/ticker': 'plain/ticker',
  '/etc/nginx/conf.d/segue-demo.conf': 'content/segue-demo.conf',
} as const;

/** Makes the guest an administrator's own: a page for nginx, a Node program and a plain process as units. */
export async function installWorkloads(guest: Guest): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'segue-demo-'));
  try {
    await writeFile(join(folder, 'counter.mjs'), await bundleProgram(), { mode: 0o644 });
    await writeFile(join(folder, 'page'), PAGE_BODY, { mode: 0o644 });
    await guest.exec(['mkdir', '-p', '/opt/counter']);
    await guest.copyIn(join(folder, 'counter.mjs'), '/opt/counter/counter.mjs');
    await guest.copyIn(join(folder, 'page'), `/var/www/html${PAGE_PATH}`);
    for (const [destination, source] of Object.entries(FILES)) {
      await guest.copyIn(fileURLToPath(new URL(source, import.meta.url)), destination);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  await guest.exec('systemctl daemon-reload && systemctl enable --now counter.service ticker.service && systemctl reload nginx');
}
