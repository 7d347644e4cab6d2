import { existsSync } from 'node:fs';
import type { Guest } from './guest/guest.js';
import { LabError } from './errors.js';
import { step, type Log } from './log.js';

export interface SeguePackage {
  readonly path: string;
  readonly version: string;
  readonly hash: string;
}

/** Segue's package, built from this tree; undefined, with a notice, where it cannot be built yet. */
export async function buildSegue(log: Log): Promise<SeguePackage | undefined> {
  const script = new URL('../scripts/deb.ts', import.meta.url);
  const program = new URL('../src/cli/main.ts', import.meta.url);
  if (!existsSync(script) || !existsSync(program)) {
    log("note: this tree has no Segue to build yet; going on without its package");
    return undefined;
  }
  const module = (await import(script.href)) as { buildDeb?: () => Promise<SeguePackage> };
  const { buildDeb } = module;
  if (buildDeb === undefined) throw new LabError('scripts/deb.ts has no buildDeb()');
  try {
    return await step(log, "building Segue's package", buildDeb);
  } catch (cause) {
    throw new LabError("Segue's package cannot be built", { cause, hint: 'a guest without it: --no-segue' });
  }
}

/** As a user installs it, without a network. */
export async function installSegue(guest: Guest, segue: SeguePackage): Promise<void> {
  await guest.copyIn(segue.path, '/root/segue.deb');
  await guest.exec('DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends /root/segue.deb && rm /root/segue.deb');
}
