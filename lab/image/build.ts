import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { LabError } from '../errors.js';
import type { Mirror } from '../host/mirror.js';
import { run } from '../host/run.js';
import { aptSources, SUITE } from './packages.js';

export const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const DISK_SIZE = '16G';

export interface BootstrapOptions {
  readonly suite?: string;
  readonly packages: readonly string[];
  readonly sources?: readonly string[];
  readonly extra?: readonly string[];
  readonly log: string;
}

/** Runs mmdebstrap into a folder; what it says goes to a file, whose end an error shows. */
export async function bootstrap(target: string, mirror: Mirror, options: BootstrapOptions): Promise<void> {
  const args = [
    // If the lab is killed, a build that nobody will use shall not go on.
    '--pdeathsig', 'TERM', 'mmdebstrap',
    '--variant=minbase', '--format=directory', '--mode=root', '--architectures=amd64',
    `--include=${options.packages.join(',')}`,
    ...mirror.options.map((line) => `--aptopt=${line.replace(/;$/, '')}`),
    ...(options.extra ?? []),
    options.suite ?? SUITE,
    target,
    ...(options.sources ?? aptSources(mirror.uri, KEYRING)),
  ]; // prettier-ignore
  const result = await execa('setpriv', args, {
    reject: false,
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: { file: options.log },
  });
  if (!result.failed) return;
  const text = await readFile(options.log, 'utf8').catch(() => '');
  throw new LabError(`mmdebstrap failed:\n${text.trim().split('\n').slice(-15).join('\n')}`, {
    hint: `its whole log: ${options.log}; the mirror was ${mirror.uri} (another one: --mirror URL)`,
  });
}

/** Makes the disk and takes out the kernels, next to the tree: `disk.raw` and `boot/`. */
export async function makeDisk(folder: string): Promise<void> {
  const disk = join(folder, 'disk.raw');
  await run('truncate', ['-s', DISK_SIZE, disk]);
  // Nothing is left for the guest's kernel to initialise in the background (ext4lazyinit).
  const extended = 'assume_storage_prezeroed=1,lazy_itable_init=0,lazy_journal_init=0';
  await run('mkfs.ext4', ['-q', '-F', '-E', extended, '-d', join(folder, 'tree'), disk]);
  await mkdir(join(folder, 'boot'));
  for (const file of await readdir(join(folder, 'tree/boot'))) {
    if (/^(vmlinuz|initrd\.img)-/.test(file)) {
      await cp(join(folder, 'tree/boot', file), join(folder, 'boot', file));
    }
  }
}

/** The newest names of packages that a suite offers, by an apt of its own that leaves the host's alone. */
export async function packageNames(folder: string, source: string, mirror: Mirror): Promise<string[]> {
  const root = join(folder, 'apt');
  await rm(root, { recursive: true, force: true });
  for (const part of ['lists/partial', 'cache/archives/partial', 'etc']) {
    await mkdir(join(root, part), { recursive: true });
  }
  await writeFile(join(root, 'status'), '');
  await writeFile(join(root, 'etc/sources.list'), `${source}\n`);
  await writeFile(
    join(root, 'apt.conf'),
    [
      `Dir::State "${root}";`,
      `Dir::State::status "${root}/status";`,
      `Dir::Cache "${root}/cache";`,
      `Dir::Etc "${root}/etc";`,
      'APT::Architecture "amd64";',
      'APT::Architectures { "amd64"; };',
      'Acquire::Languages "none";',
      // _apt may not be able to read the way to the cache.
      'APT::Sandbox::User "root";',
    ].join('\n'),
  );
  const env = { APT_CONFIG: join(root, 'apt.conf') };
  await run('apt-get', ['update'], { env, hint: `the mirror was ${mirror.uri}; another one: --mirror URL` });
  const names = await run('apt-cache', ['pkgnames', 'linux-image-'], { env });
  await rm(root, { recursive: true, force: true });
  return names.split('\n');
}
