import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runId } from '../../../src/tools/criu-images.ts';
import { dumpCommand, lockTable, logErrors, neededCriu, nsenterOptions, parseVersion, restoreArguments, restoreDescriptors, type DumpOrder } from '../../../src/tools/criu.ts';
import { fixture, fixtureFolder } from '../../fixtures/fixture.ts';

const PLAIN: DumpOrder = { pid: 4000, images: '/store/images', entered: [], detachIpc: false, external: [], shellJob: false, memory: 0 };
const FULL: DumpOrder = {
  pid: 4000,
  images: '/store/images',
  entered: ['mnt', 'uts', 'net', 'ipc', 'cgroup'],
  detachIpc: true,
  external: [
    { kind: 'stream', inode: 3126 },
    { kind: 'null', key: '1a:4' },
    { kind: 'pressure', key: '1c:9f', path: '/sys/fs/cgroup/system.slice/a b/memory.pressure' },
  ],
  shellJob: true,
  memory: 0,
};

test('the version of a real CRIU is found', () => {
  expect(parseVersion(fixture('criu/version.txt'))).toBe('4.2.1');
});

test('a version with a suffix is kept whole, and other output is no version', () => {
  expect(parseVersion('Version: 4.0-dev\nGitID: v4.0-1-gabc\n')).toBe('4.0-dev');
  expect(parseVersion('criu: command not found\n')).toBeUndefined();
  expect(parseVersion('Version:\nGitID: v4.0-1-gabc\n')).toBeUndefined();
});

test.each([
  ['5.10.0-30-amd64', '3.19'],
  ['6.1.0-40-amd64', '3.19'],
  ['6.10.14', '3.19'],
  ['6.11', '4.0'],
  ['6.12.117+deb13-cloud-amd64', '4.0'],
  ['6.13.1', '4.1'],
  ['6.16-rc2', '4.2'],
  ['7.0.9', '4.2'],
  ['7.1.2-amd64', '4.2.1'],
  ['7.3.4+deb13-cloud-amd64', '4.2.1'],
  ['10.0', '4.2.1'],
])('Linux %s needs CRIU %s', (kernel, criu) => {
  expect(neededCriu(kernel)).toBe(criu);
});

test('a plain service is imaged without entering any namespace', () => {
  const command = dumpCommand(PLAIN);
  expect(command.slice(0, 6)).toEqual(['choom', '-n', '-1000', '--', 'sh', '-c']);
  expect(command.slice(7, 12)).toEqual(['/store/images', '/proc/self/fd/8', 'dump', '--tree', '4000']);
  for (const option of ['--leave-stopped', '--tcp-established']) expect(command).toContain(option);
  for (const option of ['--shell-job', '--external']) expect(command).not.toContain(option);
});

test('a sandboxed service is imaged from inside of its namespaces, with all that CRIU is not to restore', () => {
  expect(dumpCommand(FULL)).toMatchSnapshot();
});

test('what a dump is told is what its restore is told', () => {
  expect(restoreArguments(FULL)).toMatchSnapshot();
  for (const order of [PLAIN, FULL]) {
    for (const option of ['--tcp-established', '--file-locks', '--manage-cgroups=ignore', '--ext-unix-sk']) {
      expect(dumpCommand(order)).toContain(option);
      expect(restoreArguments(order)).toContain(option);
    }
    expect(restoreArguments(order).includes('--shell-job')).toBe(dumpCommand(order).includes('--shell-job'));
  }
});

test('no argument of a restore spans two lines', () => {
  for (const argument of restoreArguments(FULL)) expect(argument).not.toContain('\n');
});

test('every file that a restore inherits is opened beforehand under the same number', () => {
  const opened = restoreDescriptors(FULL).map((line) => line.split(' ')[0]);
  const inherited = restoreArguments(FULL).flatMap((argument) => /^fd\[(\d+)\]:/.exec(argument)?.[1] ?? []);

  expect(opened).toEqual(inherited);
  expect(restoreDescriptors(FULL).map((line) => line.replace(/^\d+ /, ''))).toEqual([
    'stream',
    'null',
    'pressure /sys/fs/cgroup/system.slice/a b/memory.pressure',
  ]);
});

test('every namespace that a workload can have of its own is one that nsenter can enter', () => {
  expect(nsenterOptions(['mnt', 'uts', 'net', 'ipc', 'cgroup'])).toEqual(['--mount', '--uts', '--net', '--ipc', '--cgroup']);
});

test("CRIU's lock is found by the id of the run, cut as CRIU cuts it", async () => {
  const id = await runId(fixtureFolder('criu/redis-server'));
  expect(`table inet ${lockTable(id ?? '')}`).toBe(fixture('nft/tables.txt').trim());
});

test('of a log the lines that say what went wrong are told, but not the question for tun', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'segue-log-'));
  try {
    const errors = Array.from({ length: 9 }, (_, index) => `(00.1) Error (criu/sk-inet.c:${index}): no`);
    writeFileSync(join(folder, 'dump.log'), ['(00.0) Warn  (criu/x.c:1): slow', '(00.0) Error (criu/tun.c:1): no tun', ...errors].join('\n'));

    expect(await logErrors(join(folder, 'dump.log'))).toEqual(errors.slice(0, 6));
    expect(await logErrors(join(folder, 'nothing.log'))).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
