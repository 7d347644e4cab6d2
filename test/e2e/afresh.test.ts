import { afterAll, beforeAll, expect, test } from 'vitest';
import { readUptimes } from '../../lab/demo/outside.js';
import { kernelUptime, readUnits, type UnitState } from '../../lab/demo/services.js';
import { upgrade, type Status } from '../../lab/demo/upgrade.js';
import type { Guest } from '../../lab/lab.js';
import { lines, segue } from '../../lab/inside/command.js';
import { startServer } from './support/server.ts';
import { REAL, replace } from '../../lab/inside/instead.js';
import { readLockTables } from '../../lab/inside/traces.js';

const TIMEOUT = 300_000;
const DAMAGED = 'memcached.service';

/** Stands in for kexec: when the new kernel is to start, one byte of one image becomes another. */
const SABOTEUR = `#!/usr/bin/perl
use strict;
if (grep { $_ eq '--exec' } @ARGV) {
	my ($pages) = glob '/var/lib/segue/upgrades/*/handover/workloads/${DAMAGED}/trees/*/images/pages-1.img';
	open(my $file, '+<', $pages) or die;
	binmode $file;
	seek($file, 5000, 0);
	read($file, my $byte, 1) == 1 or die;
	seek($file, 5000, 0);
	print $file chr(ord($byte) ^ 1);
	close($file) or die;
	system('sync') == 0 or die;
}
exec '${REAL}/kexec', @ARGV;
`;

let guest: Guest;
let before: readonly UnitState[];
let status: Status;

beforeAll(async () => {
  guest = await startServer();
  await replace(guest, '/usr/sbin/kexec', SABOTEUR);
  before = await readUnits(guest);
  status = await upgrade(guest, 'newest');
}, 900_000);

afterAll(async () => await guest.down());

test('a workload whose image was damaged is started afresh', { timeout: TIMEOUT }, async () => {
  const was = before.find(({ unit }) => unit === DAMAGED);
  const is = (await readUnits(guest)).find(({ unit }) => unit === DAMAGED);
  expect(is?.active).toBe(true);
  expect(is?.pid).not.toBe(was?.pid);
  const { memcached } = await readUptimes(guest);
  expect(memcached).toBeLessThan(await kernelUptime(guest));
});

test('every other workload goes on', { timeout: TIMEOUT }, async () => {
  const others = (units: readonly UnitState[]) => units.filter(({ unit }) => unit !== DAMAGED);
  expect(others(await readUnits(guest))).toEqual(others(before));
  const { memcached, ...uptimes } = await readUptimes(guest);
  expect(memcached).toBeLessThan(Math.min(...Object.values(uptimes)));
});

test('the status says which and why', { timeout: TIMEOUT }, async () => {
  expect(status.state).toBe('settled');
  expect(status.workloads.find(({ unit }) => unit === DAMAGED)).toMatchObject({ fate: 'afresh', why: 'its images do not match their checksums' });
  expect(status.workloads.filter(({ fate }) => fate === 'restored')).toHaveLength(before.length - 1);

  const said = await segue(guest, 'status');
  expect(said.exitCode).toBe(12);
  expect(said.stdout).toMatch(/^memcached\.service +afresh .*its images do not match their checksums/m);
});

test('its images are kept for whoever wants to know more, those of the others are wiped', { timeout: TIMEOUT }, async () => {
  expect(await lines(guest, 'cd /var/lib/segue/upgrades/*/handover && ls')).toEqual(['workloads']);
  expect(await lines(guest, 'cd /var/lib/segue/upgrades/*/handover/workloads && ls')).toEqual([DAMAGED]);
  expect(await lines(guest, `cd /var/lib/segue/upgrades/*/handover/workloads/${DAMAGED} && find . -name pages-1.img`)).toHaveLength(1);
});

test('no socket stays locked', { timeout: TIMEOUT }, async () => {
  expect(await readLockTables(guest)).toEqual([]);
});
