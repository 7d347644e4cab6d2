import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseSide } from '../../../lab/cli/copy.js';
import { checkName, claimName, readRecord, recordedNames, type GuestRecord } from '../../../lab/guest/record.js';
import { missingPackages } from '../../../lab/host/packages.js';
import { findPlaces } from '../../../lab/paths.js';

const RECORD: GuestRecord = {
  name: 'a',
  createdAt: '2026-01-01T00:00:00.000Z',
  sshKey: '/cache/ssh-key',
  console: '/run/a/console',
  diskFolder: '/cache/guests/a',
  kernel: '6.12.117+deb13-cloud-amd64',
  memory: 4096,
  accelerator: 'tcg',
};

test('a name is claimed by one guest only', () => {
  const places = { cache: '/cache', runtime: mkdtempSync(join(tmpdir(), 'lab-')), root: true };
  claimName(places, RECORD);
  expect(() => claimName(places, RECORD)).toThrow('a guest named a is already up');
  expect(readRecord(places, 'a')).toEqual(RECORD);
  expect(recordedNames(places)).toEqual(['a']);
});

test('names that would not do for a namespace are refused', () => {
  for (const name of ['', '-a', 'A', 'a/b', '..', 'a'.repeat(32)]) {
    expect(() => checkName(name)).toThrow('cannot be the name of a guest');
  }
  expect(() => checkName('node-2')).not.toThrow();
});

test('a side of a copy is in a guest if a name and a colon come first', () => {
  expect(parseSide('a:/etc/hosts')).toEqual({ guest: 'a', path: '/etc/hosts' });
  expect(parseSide('./a:b')).toEqual({ guest: undefined, path: './a:b' });
  expect(parseSide('/tmp/x')).toEqual({ guest: undefined, path: '/tmp/x' });
});

test('a package that was removed but left its configuration counts as missing', () => {
  const output = 'ii  mmdebstrap\nrc  nftables\nun  lintian\n';
  expect(missingPackages(['mmdebstrap', 'nftables', 'lintian', 'iproute2'], output)).toEqual(['nftables', 'lintian', 'iproute2']);
});

test('the cache is where the user says, or where caches are', () => {
  expect(findPlaces({ SEGUE_LAB_CACHE: '/srv/lab', HOME: '/root' }, 0).cache).toBe('/srv/lab');
  expect(findPlaces({ XDG_CACHE_HOME: '/c' }, 0).cache).toBe('/c/segue-lab');
  expect(findPlaces({ XDG_RUNTIME_DIR: '/run/user/1000' }, 1000).runtime).toBe('/run/user/1000/segue-lab');
  expect(() => findPlaces({ SEGUE_LAB_CACHE: 'here' }, 0)).toThrow('must be an absolute path');
});
