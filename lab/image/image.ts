import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheKey } from '../cache-key.js';
import { LabError } from '../errors.js';
import { withLock } from '../host/lock.js';
import { findMirror } from '../host/mirror.js';
import { run } from '../host/run.js';
import { step } from '../log.js';
import type { Workshop } from '../workshop.js';
import { bootstrap, KEYRING, makeDisk, packageNames } from './build.js';
import { configureScript } from './configure.js';
import { newestKernel } from './kernels.js';
import { aptPreferences, aptSources, GUEST_PACKAGES, SUITE } from './packages.js';

/** Change it when the way of building changes what comes out, though the lists and scripts do not. */
const RECIPE = 1;

/** A disk image, never written to once it is in the cache. */
export interface Image {
  readonly key: string;
  readonly folder: string;
  readonly disk: string;
  /** Releases of the kernels that the image has, each with an initrd. */
  readonly kernels: readonly string[];
}

/** The image with these packages on top of the usual ones, from the cache or built now. */
export async function ensureImage(workshop: Workshop, packages: readonly string[] = []): Promise<Image> {
  const kernel = await backportsKernel(workshop);
  const publicKey = await ensureSshKey(workshop);
  const preferences = aptPreferences(kernel);
  const script = configureScript(publicKey);
  const base = cacheKey({ RECIPE, SUITE, kernel, preferences, script, packages: [...GUEST_PACKAGES].sort() });
  const included = [...GUEST_PACKAGES, `linux-image-${kernel}`];

  const image = await cached(workshop, base, async (folder) => {
    const mirror = await findMirror(workshop.mirror, workshop.log);
    await writeFile(join(folder, 'preferences'), preferences);
    await writeFile(join(folder, 'configure'), script, { mode: 0o755 });
    await step(workshop.log, `building the guest image (mmdebstrap, kernels of ${SUITE} and ${kernel})`, () =>
      bootstrap(join(folder, 'tree'), mirror, {
        packages: included,
        extra: [
          `--setup-hook=mkdir -p "$1/etc/apt/preferences.d" && cp "${folder}/preferences" "$1/etc/apt/preferences.d/lab"`,
          `--customize-hook=${folder}/configure`,
        ],
        log: join(folder, 'mmdebstrap.log'),
      }),
    );
  });
  if (packages.length === 0) return image;

  const wanted = [...new Set(packages)].sort();
  return await cached(workshop, cacheKey({ base, wanted, RECIPE }), async (folder) => {
    const mirror = await findMirror(workshop.mirror, workshop.log);
    await step(workshop.log, `adding ${wanted.join(' ')} to the guest image`, () =>
      bootstrap(join(folder, 'tree'), mirror, {
        packages: wanted,
        extra: [
          // Later options win: no packages of its own, and the finished tree instead of an empty one.
          '--variant=custom',
          `--setup-hook=cp -a --reflink=auto "${image.folder}/tree/." "$1/"`,
          '--customize-hook=: > "$1/etc/resolv.conf"; echo guest > "$1/etc/hostname"',
        ],
        log: join(folder, 'mmdebstrap.log'),
      }),
    );
  });
}

/** Looks an image up by its key; if it is not there, builds it in a folder that gets its name when it is whole. */
async function cached(workshop: Workshop, key: string, build: (folder: string) => Promise<void>): Promise<Image> {
  const images = join(workshop.places.cache, 'images');
  const folder = join(images, key);
  if (!existsSync(folder)) {
    if (!workshop.places.root) {
      throw new LabError('there is no guest image yet, and building one needs root', {
        hint: `run \`npm run lab -- up\` as root once, with SEGUE_LAB_CACHE=${workshop.places.cache}, and make the cache readable`,
      });
    }
    await withLock(join(images, `${key}.lock`), workshop.log, async () => {
      if (existsSync(folder)) return;
      const unfinished = join(images, `${key}.unfinished`);
      // Whoever left it there no longer holds the lock.
      await rm(unfinished, { recursive: true, force: true });
      await mkdir(unfinished, { recursive: true });
      await build(unfinished);
      await step(workshop.log, 'making its disk', () => makeDisk(unfinished));
      await rename(unfinished, folder);
    });
  }
  const boot = await readdir(join(folder, 'boot'));
  const kernels = boot.filter((file) => file.startsWith('vmlinuz-')).map((file) => file.slice('vmlinuz-'.length));
  return { key, folder, disk: join(folder, 'disk.raw'), kernels };
}

/** The newest kernel in backports: asked once and noted down, so that a cached image needs no network. */
async function backportsKernel(workshop: Workshop): Promise<string> {
  const note = join(workshop.places.cache, `newest-kernel-${SUITE}`);
  if (!workshop.refresh && existsSync(note)) return (await readFile(note, 'utf8')).trim();
  const mirror = await findMirror(workshop.mirror, workshop.log);
  await mkdir(workshop.places.cache, { recursive: true });
  const source = aptSources(mirror.uri, KEYRING).find((line) => line.includes(`${SUITE}-backports`)) ?? '';
  return await withLock(`${note}.lock`, workshop.log, () =>
    step(workshop.log, `asking ${SUITE}-backports for its newest kernel`, async () => {
      const kernel = newestKernel(await packageNames(workshop.places.cache, source, mirror));
      if (kernel === undefined) {
        throw new LabError(`${mirror.uri} has no cloud kernel in ${SUITE}-backports`, {
          hint: 'name another mirror: --mirror URL',
        });
      }
      await writeFile(`${note}.new`, `${kernel}\n`);
      await rename(`${note}.new`, note);
      return kernel;
    }),
  );
}

/** The key that opens every guest of this cache; gives the public half. */
async function ensureSshKey(workshop: Workshop): Promise<string> {
  const key = workshop.sshKey;
  if (!existsSync(key)) {
    await withLock(`${key}.lock`, workshop.log, async () => {
      if (existsSync(key)) return;
      await rm(`${key}.new`, { force: true });
      await rm(`${key}.new.pub`, { force: true });
      await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'segue-lab', '-f', `${key}.new`]);
      // The private half gets its name last: where it is, the public half is too.
      await rename(`${key}.new.pub`, `${key}.pub`);
      await rename(`${key}.new`, key);
    });
  }
  return (await readFile(`${key}.pub`, 'utf8')).trim();
}
