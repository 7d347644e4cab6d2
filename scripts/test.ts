import { readFileSync, realpathSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { missingPackages } from '../lab/host/packages.ts';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const PROJECTS = ['unit', 'e2e'] as const;

/** Debian packages with the programs that tests run; those of the lab and of the package install theirs themselves. */
const HOST_PACKAGES = ['cpio', 'iproute2', 'nftables', 'shellcheck', 'tar', 'util-linux', 'xxhash'] as const;

export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

/** The part of vitest's JSON report that is read here. */
export interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    /** The path of the file. */
    readonly name: string;
    readonly status: string;
    /** Why the file could not be loaded. */
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string; readonly failureMessages: readonly string[] }[];
  }[];
}

/**
 * The numbers of a run. A file that could not even be loaded has no failed test, but failed it has; the same goes for a
 * run that ended badly, or left no report, although every test passed.
 */
export function tally(report: VitestReport | undefined, exitCode: number): Tally {
  if (report === undefined) return { passed: 0, failed: 1 };
  const broken = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((assertion) => assertion.status === 'failed'),
  ).length;
  const failed = report.numFailedTests + broken;
  return { passed: report.numPassedTests, failed: failed === 0 && exitCode !== 0 ? 1 : failed };
}

/** What failed, and why, in words: it is long past when the numbers come. */
export function failures(report: VitestReport | undefined): string[] {
  return (report?.testResults ?? []).flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults.filter((assertion) => assertion.status === 'failed');
    const file = relative(ROOT, name);
    if (failed.length === 0) return status === 'failed' ? [`FAILED ${file}\n${message}`] : [];
    return failed.map(({ fullName, failureMessages }) => `FAILED ${file}: ${fullName}\n${failureMessages.join('\n')}`);
  });
}

export const sum = (tallies: readonly Tally[]): Tally => ({
  passed: tallies.reduce((total, { passed }) => total + passed, 0),
  failed: tallies.reduce((total, { failed }) => total + failed, 0),
});

/** Runs a program with its output to the terminal, and gives its exit code. */
async function show(file: string, args: readonly string[], env: Record<string, string> = {}): Promise<number> {
  const { exitCode, shortMessage } = await execa(file, args, {
    cwd: ROOT,
    env,
    stdin: 'ignore',
    stdout: 'inherit',
    stderr: 'inherit',
    reject: false,
  });
  if (exitCode === undefined) console.log(shortMessage);
  return exitCode ?? 1;
}

const bin = (name: string): string => join(ROOT, 'node_modules/.bin', name);

/** A fresh machine becomes one on which the tests run. */
async function ensureHostPackages(): Promise<void> {
  const query = await execa('dpkg-query', ['-W', '-f', '${db:Status-Abbrev} ${Package}\\n', ...HOST_PACKAGES], {
    reject: false,
  });
  if (query.exitCode === undefined) {
    console.log(`This is no Debian: the tests need the programs of ${HOST_PACKAGES.join(', ')}`);
    return;
  }
  const missing = missingPackages(HOST_PACKAGES, query.stdout);
  if (missing.length === 0) return;
  if (process.getuid?.() !== 0) {
    console.log(`These packages are missing, and only root can install them: ${missing.join(' ')}`);
    return;
  }
  console.log(`Installing ${missing.join(' ')}`);
  const install = ['-q', '-o', 'DPkg::Lock::Timeout=300', 'install', '-y', '--no-install-recommends', ...missing];
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  if ((await show('apt-get', install, env)) === 0) return;
  // The lists may be empty or old.
  await show('apt-get', ['-q', 'update'], env);
  await show('apt-get', install, env);
}

/** Types or lint: what is wrong counts as one failed, what is right as nothing, as it is no test. */
async function check(title: string, program: string, args: readonly string[]): Promise<Tally> {
  console.log(`\n${title}`);
  const passed = (await show(bin(program), args)) === 0;
  return { passed: 0, failed: passed ? 0 : 1 };
}

/** `failed` gets what failed. */
async function runProject(project: string, failed: string[]): Promise<Tally> {
  console.log(`\nvitest: ${project}`);
  const folder = await mkdtemp(join(tmpdir(), 'segue-test-'));
  const output = join(folder, 'report.json');
  try {
    const exitCode = await show(bin('vitest'), [
      'run',
      `--project=${project}`,
      // A text that is not there yet is a failure, and not written down as if it were what is expected.
      '--update=none',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${output}`,
    ]);
    const report = readReport(output);
    failed.push(...failures(report));
    return tally(report, exitCode);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function readReport(path: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as VitestReport;
  } catch {
    return undefined;
  }
}

async function main(wanted: readonly string[]): Promise<number> {
  const unknown = wanted.filter((name) => !PROJECTS.some((project) => project === name));
  if (unknown.length > 0) {
    console.error(`error: there are no tests called ${unknown.join(', ')}\nhint: npm test -- [${PROJECTS.join('] [')}]`);
    return 2;
  }
  await ensureHostPackages();
  const tallies = [
    await check('tsc: types', 'tsc', ['--noEmit']),
    await check('eslint', 'eslint', ['.']),
  ];
  const what: string[] = [];
  for (const project of PROJECTS) {
    if (wanted.length === 0 || wanted.includes(project)) tallies.push(await runProject(project, what));
  }
  for (const text of what) console.log(`\n${text}`);
  const { passed, failed } = sum(tallies);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2));
}
