import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { LabError } from '../errors.js';
import { withLock } from '../host/lock.js';
import { findMirror } from '../host/mirror.js';
import { step } from '../log.js';
import type { Workshop } from '../workshop.js';
import { bootstrap, KEYRING } from '../image/build.js';
import { SUITE } from '../image/packages.js';

/**
 * Older ones are not used: 7.2 crashed guest kernels under multi-threaded TCG when CRIU was busy
 * («Oops: int3»), and saved states in files (`file:`) came with 8.2.
 */
const OLDEST_MAJOR = 10;

/** The QEMU that runs the guests: the host's, or one of a newer Debian in a folder of its own. */
export interface QemuBinary {
  readonly version: string;
  /** The root folder it runs in; undefined for the host's own. */
  readonly chroot: string | undefined;
}

/** From `qemu-system-x86_64 --version`. */
export function parseQemuVersion(output: string): string | undefined {
  return /version (\d+\.\d+\.\d+)/.exec(output)?.[1];
}

export async function ensureQemu(workshop: Workshop): Promise<QemuBinary> {
  const host = await execa('qemu-system-x86_64', ['--version'], { reject: false });
  const version = parseQemuVersion(host.stdout ?? '');
  if (version !== undefined && Number.parseInt(version, 10) >= OLDEST_MAJOR) return { version, chroot: undefined };

  const folder = join(workshop.places.cache, `qemu-${SUITE}`);
  if (!existsSync(folder)) {
    if (!workshop.places.root) {
      throw new LabError(`the host has ${version === undefined ? 'no QEMU' : `QEMU ${version}`}, and the lab needs ${OLDEST_MAJOR} or newer`, {
        hint: 'install qemu-system-x86 of Debian 13 or newer, or run the lab as root once: it then brings its own',
      });
    }
    await withLock(`${folder}.lock`, workshop.log, () => build(workshop, folder));
  }
  return { version: (await readFile(join(folder, 'version'), 'utf8')).trim(), chroot: join(folder, 'tree') };
}

async function build(workshop: Workshop, folder: string): Promise<void> {
  if (existsSync(folder)) return;
  const unfinished = `${folder}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  const mirror = await findMirror(workshop.mirror, workshop.log);
  const tree = join(unfinished, 'tree');
  await step(workshop.log, `bringing QEMU of ${SUITE} along (mmdebstrap)`, () =>
    bootstrap(tree, mirror, {
      packages: ['qemu-system-x86', 'ipxe-qemu', 'seabios', 'qemu-utils'],
      sources: [`deb [signed-by=${KEYRING}] ${mirror.uri} ${SUITE} main`],
      extra: ['--dpkgopt=path-exclude=/usr/share/doc/*'],
      log: join(unfinished, 'mmdebstrap.log'),
    }),
  );
  const { stdout } = await execa('chroot', [tree, 'qemu-system-x86_64', '--version']);
  const version = parseQemuVersion(stdout);
  if (version === undefined) throw new LabError(`QEMU in ${tree} does not tell its version: ${stdout}`);
  await writeFile(join(unfinished, 'version'), `${version}\n`);
  await rename(unfinished, folder);
}
