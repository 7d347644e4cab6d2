import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseMountinfo, parsePids, parseStat, readTask } from '../../../src/survey/task.ts';
import { inodeOf } from '../../../src/survey/facts.ts';
import { fixture } from '../../fixtures/fixture.ts';

test('the fields of a real stat file are found', () => {
  expect(parseStat(fixture('proc/redis-stat.txt'))).toEqual({
    comm: 'redis-server',
    state: 'S',
    parent: 1,
    processGroup: 354,
    session: 354,
    flags: 4_194_560,
    startTime: 3280,
  });
});

test('a kernel thread has the flag of kernel threads', () => {
  const KERNEL_THREAD = 0x00200000;
  expect(parseStat(fixture('proc/kthreadd-stat.txt'))!.flags & KERNEL_THREAD).toBe(KERNEL_THREAD);
  expect(parseStat(fixture('proc/nginx-stat.txt'))!.flags & KERNEL_THREAD).toBe(0);
});

test('a command name may hold blanks, parentheses, line ends and whole stat lines', () => {
  const real = parseStat(fixture('proc/redis-stat.txt'));
  const name = fc.oneof(fc.constantFrom(')', ') R 1 2 3', '((', 'a b', '\n', ''), fc.string({ maxLength: 15 }));
  fc.assert(
    fc.property(name, (comm) => {
      expect(parseStat(fixture('proc/redis-stat.txt').replace('(redis-server)', () => `(${comm})`))).toEqual({ ...real, comm });
    }),
  );
});

test.each(['', '354 (redis-server', '354 (redis-server) ', '354 (redis-server) S 1 354', 'cat: No such process (ESRCH)'])('a stat file that is cut off tells nothing: %j', (text) => {
  expect(parseStat(text)).toBeUndefined();
});

test('a process of a foreign PID namespace has no id that could be signalled', () => {
  expect(parsePids('0\n354\n\n400\n')).toEqual([354, 400]);
});

test('the mounts of a real sandbox are found, with what the unit alone sees', () => {
  const mounts = parseMountinfo(fixture('proc/redis-mountinfo.txt'));

  expect(mounts).toHaveLength(fixture('proc/redis-mountinfo.txt').trim().split('\n').length);
  expect(mounts.find(({ path }) => path === '/')).toMatchObject({ root: '/', type: 'ext4' });
  expect(mounts.findLast(({ path }) => path === '/tmp')?.root).toMatch(/systemd-private-.*-redis-server\.service-/);
  for (const { id, device, path } of mounts) {
    expect(id).toBeGreaterThan(0);
    expect(device).toMatch(/^\d+:\d+$/);
    expect(path).toMatch(/^\//);
  }
});

test('blanks, tabs, line ends and backslashes in the paths of mounts come back from their octal escapes', () => {
  const line = String.raw`36 35 98:0 /with\040blank /mnt/tab\011line\012back\134slash rw,noatime master:1 propagate_from:2 - fuse.sshfs host:/x rw`;
  expect(parseMountinfo(`${line}\n`)).toEqual([
    { id: 36, device: '98:0', root: '/with blank', path: '/mnt/tab\tline\nback\\slash', type: 'fuse.sshfs' },
  ]);
});

test('a line that is no mount is left out', () => {
  expect(parseMountinfo('\n36 35 98:0 / /mnt rw\n')).toEqual([]);
  expect(parseMountinfo('x 35 98:0 / /mnt rw - ext4 /dev/vda rw\n36 35 98:0 / - ext4\n')).toEqual([]);
});

test('a running process is read with its threads, files and namespaces', () => {
  const own = readTask(process.pid);

  expect(own).toMatchObject({ pid: process.pid, parent: process.ppid, tracer: 0 });
  expect(own?.threads).toContain(process.pid);
  expect(own?.namespaces.net).toMatch(/^net:\[\d+\]$/);
  expect(own?.files.map(({ fd }) => fd)).toEqual(expect.arrayContaining([0, 1, 2]));
  expect(own?.memory).toBeGreaterThan(2 ** 20);
});

test('a process that is gone is not there', () => {
  expect(readTask(2 ** 22 + 1)).toBeUndefined();
});

test('only the link of a socket or a pipe names one', () => {
  expect(inodeOf('socket:[12]', 'socket')).toBe(12);
  expect(inodeOf('pipe:[13]', 'pipe')).toBe(13);
  expect(inodeOf('pipe:[13]', 'socket')).toBeUndefined();
  expect(inodeOf('/tmp/socket:[12]', 'socket')).toBeUndefined();
});
