import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseLdd } from '../../../src/tools/busybox.ts';
import { lockTable, neededCriu, parseVersion, restoreArguments, restoreDescriptors, type DumpOrder, type ExternalFile } from '../../../src/tools/criu.ts';
import { compareVersions } from '../../../src/tools/version.ts';
import { fixture } from '../../fixtures/fixture.ts';
import { damaged, endless } from '../damaged.ts';

test('a version is one of numbers, or there is none', () => {
  fc.assert(
    fc.property(damaged(fixture('criu/version.txt'), 'Version: 4.0-dev\nGitID: v4.0-1-gabc\n'), (text) => {
      const version = parseVersion(text);
      if (version === undefined) return;
      expect(version).toMatch(/^\d\S*$/);
      expect(text).toContain(version);
    }),
  );
});

const number = fc.nat(300);
const version = fc.tuple(fc.array(number, { minLength: 1, maxLength: 4 }), fc.constantFrom('', '-rc1', '-rc7', '+deb13-amd64', '-9-amd64', '-cloud-amd64')).map(([numbers, end]) => `${numbers.join('.')}${end}`);

test('versions have one order, whichever way they are compared', () => {
  fc.assert(
    fc.property(fc.oneof(version, fc.string()), fc.oneof(version, fc.string()), fc.oneof(version, fc.string()), (a, b, c) => {
      expect(Math.sign(compareVersions(a, b))).toBe(0 - Math.sign(compareVersions(b, a)));
      expect(compareVersions(a, a)).toBe(0);
      const [first, second, third] = [a, b, c].toSorted(compareVersions);
      expect(compareVersions(first!, second!)).toBeLessThanOrEqual(0);
      expect(compareVersions(second!, third!)).toBeLessThanOrEqual(0);
      expect(compareVersions(first!, third!)).toBeLessThanOrEqual(0);
    }),
  );
});

test('a newer kernel never needs an older CRIU', () => {
  const release = fc.tuple(fc.integer({ min: 3, max: 9 }), fc.nat(30), fc.nat(200)).map((numbers) => `${numbers.join('.')}-amd64`);
  fc.assert(
    fc.property(release, release, (a, b) => {
      const [older, newer] = [a, b].toSorted(compareVersions);
      expect(compareVersions(neededCriu(older!), neededCriu(newer!))).toBeLessThanOrEqual(0);
    }),
  );
});

const external: fc.Arbitrary<ExternalFile> = fc.oneof(
  fc.nat().map((inode) => ({ kind: 'stream' as const, inode })),
  fc.stringMatching(/^[0-9a-f]{1,4}:[0-9a-f]{1,8}$/).map((key) => ({ kind: 'null' as const, key })),
  fc.record({ kind: fc.constant('pressure' as const), key: fc.constant('1c:9f'), path: fc.string({ unit: 'binary' }).map((name) => `/sys/fs/cgroup/a/${name.replace(/[\n/]/g, '')}/memory.pressure`) }),
);

test('each file that CRIU is given is opened under the number that its arguments name, each in a line of its own', () => {
  fc.assert(
    fc.property(fc.array(external, { maxLength: 6 }), fc.boolean(), (files, shellJob) => {
      const order: DumpOrder = { pid: 1, images: '/i', entered: [], detachIpc: false, external: files, shellJob, memory: 0 };
      const descriptors = restoreDescriptors(order);
      const named = restoreArguments(order).flatMap((argument) => /^fd\[(\d+)\]:/.exec(argument)?.[1] ?? []);
      expect(descriptors.map((line) => line.split(' ')[0])).toEqual(named);
      expect(new Set(named).size).toBe(files.length);
      // As boot/restore reads them.
      expect(descriptors.map((line) => /^\d+ (stream|null|pressure)(?: (.*))?$/s.exec(line)?.slice(1))).toEqual(files.map((file) => [file.kind, file.kind === 'pressure' ? file.path : undefined]));
      for (const line of [...descriptors, ...restoreArguments(order)]) expect(line).not.toContain('\n');
    }),
  );
});

test('the name of a lock is as long as the kernel lets CRIU make it', () => {
  fc.assert(
    fc.property(fc.uuid(), (id) => {
      expect(`inet ${lockTable(id)}`).toHaveLength(31);
      expect(`CRIU-${id}`.startsWith(lockTable(id))).toBe(true);
    }),
  );
});

test('the libraries of a program are paths, each of them printed', () => {
  fc.assert(
    fc.property(damaged(fixture('ldd/busybox.txt')), (text) => {
      for (const path of parseLdd(text)) {
        expect(path).toMatch(/^\/\S+$/);
        expect(text).toContain(`${path} (0x`);
      }
    }),
  );
});

test('versions and libraries without end are read in time', () => {
  for (const text of endless('1', '.', '-', '-amd64', 'rc1', '-rc', ' ', '=>/', '=> ', 'Version: ', '\n')) {
    parseVersion(text);
    parseVersion(`Version:${text}`);
    parseLdd(text);
    parseLdd(`\tlibc.so.6 => /${text}`);
    compareVersions(text, text);
  }
});
