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
} as const;

/** The page that the clients of nginx ask for. */
export async function installPage(guest: Guest): Promise<void> {
  await guest.copyIn(fileURLToPath(new URL('content/segue-demo.conf', import.meta.url)), '/etc/nginx/conf.d/segue-demo.conf');
  await guest.exec(`cat >/var/www/html${PAGE_PATH} && systemctl reload nginx`, { input: PAGE_BODY });
}

/** Makes the guest an administrator's own: a page for nginx, a Node program and a plain process as units. */
export async function installWorkloads(guest: Guest): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'segue-demo-'));
  try {
    await writeFile(join(folder, 'counter.mjs'), await bundleProgram(), { mode: 0o644 });
    await guest.exec(['mkdir', '-p', '/opt/counter']);
    await guest.copyIn(join(folder, 'counter.mjs'), '/opt/counter/counter.mjs');
    for (const [destination, source] of Object.entries(FILES)) {
      await guest.copyIn(fileURLToPath(new URL(source, import.meta.url)), destination);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  await installPage(guest);
  await guest.exec('systemctl daemon-reload && systemctl enable --now counter.service ticker.service');
}
