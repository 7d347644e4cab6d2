import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import {
  access, copyFile, mkdir, mkdtemp, readdir, readFile, realpath, rename, rm, stat, symlink, writeFile,
} from 'node:fs/promises'; // prettier-ignore
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const OUTPUT = join(ROOT, 'build/deb');

/** All that the package is made of. What is hashed is what is built: one list for both. */
const INPUTS = [
  'src',
  'boot',
  'dist',
  'debian',
  'man',
  'scripts/build.ts',
  'package.json',
  'package-lock.json',
  'tsconfig.json', // esbuild reads it
] as const;

/** Debian packages with the programs that build and check the package. */
const HOST_PACKAGES = ['debhelper', 'dpkg-dev', 'lintian'] as const;

export interface InputFile {
  /** Relative to the source tree. */
  readonly path: string;
  readonly executable: boolean;
  readonly content: Buffer;
}

export interface Deb {
  readonly path: string;
  /** Of the Debian package: `0.1.0-1`. */
  readonly version: string;
  /** Over all inputs: equal hashes mean equal packages. */
  readonly hash: string;
}

/**
 * Builds the Debian package from a copy of the source tree, checks it with lintian and puts it into `build/deb`. Does
 * nothing when no input has changed since the last time. Builds that run at the same time do not disturb each other.
 */
export async function buildDeb(): Promise<Deb> {
  // Read once: somebody may be editing, and the hash has to be that of what is built.
  const inputs = await readInputs(ROOT);
  const hash = hashInputs(inputs);
  const version = packageVersion(inputs);
  const path = join(OUTPUT, `segue_${version}_all.deb`);
  const deb: Deb = { path, version, hash };
  const record = join(OUTPUT, 'hash');
  if (await isCurrent(path, record, hash)) return deb;

  await ensureHostPackages();
  await access(join(ROOT, 'node_modules/.bin/tsx')).catch(() => {
    throw new Error('the npm packages are missing: run npm ci');
  });
  await mkdir(OUTPUT, { recursive: true });
  // Real path: the build script recognises itself by it.
  const work = await realpath(await mkdtemp(join(tmpdir(), 'segue-deb-')));
  try {
    const source = join(work, 'source');
    await writeInputs(source, inputs);
    await symlink(join(ROOT, 'node_modules'), join(source, 'node_modules'));

    const log = join(OUTPUT, 'build.log');
    // The build dependencies are not asked of dpkg: Node need not have come as a Debian package.
    const output = await run('dpkg-buildpackage', ['-us', '-uc', '-b', '--no-check-builddeps'], source);
    const check = await run(
      'lintian',
      [
        '--allow-root',
        '--profile',
        'debian',
        '--pedantic',
        '--fail-on',
        'error,warning',
        ...(await changesFiles(work)),
      ],
      work,
    );
    await writeFile(log, `${output}\n${check}\n`);

    // Each goes into place at once; the record names the package it belongs to, should two builds overtake each other.
    const unfinished = join(OUTPUT, `.unfinished-${process.pid}`);
    await copyFile(join(work, `segue_${version}_all.deb`), unfinished);
    const line = `${hash} ${await sha256(unfinished)}\n`;
    await rename(unfinished, path);
    await writeFile(unfinished, line);
    await rename(unfinished, record);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return deb;
}

/** All input files below `root`, in a fixed order. */
export async function readInputs(root: string): Promise<readonly InputFile[]> {
  const found: InputFile[] = [];
  for (const input of INPUTS) await collect(root, input, found);
  return found;
}

async function collect(root: string, path: string, found: InputFile[]): Promise<void> {
  const full = join(root, path);
  const status = await stat(full).catch(() => {
    throw new Error(`${path} is missing in ${root}: the package cannot be built without it`);
  });
  if (status.isDirectory()) {
    for (const name of (await readdir(full)).sort()) await collect(root, join(path, name), found);
  } else {
    found.push({ path, executable: (status.mode & 0o100) !== 0, content: await readFile(full) });
  }
}

/** Over names, executable bits and contents: what git records too. */
export function hashInputs(inputs: readonly InputFile[]): string {
  const hash = createHash('sha256');
  for (const { path, executable, content } of inputs) {
    hash.update(`${path}\0${executable ? 'x' : '-'}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

function packageVersion(inputs: readonly InputFile[]): string {
  const changelog = inputs.find(({ path }) => path === 'debian/changelog')?.content.toString() ?? '';
  const version = /^segue \(([^)]+)\)/.exec(changelog)?.[1];
  if (version === undefined) throw new Error('debian/changelog does not begin with "segue (VERSION)"');
  return version;
}

/** Of the modes only the executable bit counts; dh_fixperms makes the rest uniform. */
async function writeInputs(target: string, inputs: readonly InputFile[]): Promise<void> {
  for (const { path, executable, content } of inputs) {
    const file = join(target, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content, { mode: executable ? 0o755 : 0o644 });
  }
}

async function isCurrent(path: string, record: string, hash: string): Promise<boolean> {
  const [recorded, recordedDeb] = (await readFile(record, 'utf8').catch(() => '')).trim().split(' ');
  return recorded === hash && recordedDeb === (await sha256(path).catch(() => undefined));
}

async function sha256(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
}

async function changesFiles(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith('.changes'));
}

async function ensureHostPackages(): Promise<void> {
  const query = await execa('dpkg-query', ['-W', '-f', '${db:Status-Abbrev}${Package}\\n', ...HOST_PACKAGES], {
    reject: false,
  });
  if (query.exitCode === undefined) throw new Error('dpkg-query cannot be run: the package is built on Debian');
  const installed = new Set(query.stdout.split('\n').flatMap((line) => /^.i.(\S+)/.exec(line)?.[1] ?? []));
  const missing = HOST_PACKAGES.filter((name) => !installed.has(name));
  if (missing.length === 0) return;

  const install = ['-o', 'DPkg::Lock::Timeout=300', 'install', '-y', '--no-install-recommends', ...missing];
  if (process.getuid?.() !== 0) {
    throw new Error(`missing on this machine; as root: apt-get install --no-install-recommends ${missing.join(' ')}`);
  }
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const first = await execa('apt-get', install, { reject: false, env, stdin: 'ignore' });
  if (!first.failed) return;
  // The lists may be empty or old.
  await run('apt-get', ['update'], ROOT, env);
  await run('apt-get', install, ROOT, env);
}

/** Runs a program that is expected to succeed, and gives all it said. */
async function run(
  file: string,
  args: readonly string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<string> {
  const result = await execa(file, args, {
    cwd,
    // tsx finds its Node through PATH: let it be this one.
    env: { PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter), LC_ALL: 'C.UTF-8', ...env },
    all: true,
    reject: false,
    stdin: 'ignore',
  });
  if (!result.failed) return result.all;
  const tail = (result.all ?? '').split('\n').slice(-30).join('\n');
  throw new Error(
    `${[file, ...args].join(' ')} failed: ${result.originalMessage ?? `exit status ${result.exitCode}`}\n${tail}`,
  );
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    console.log((await buildDeb()).path);
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
}
