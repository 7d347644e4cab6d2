import { afterAll, beforeAll, expect, test } from 'vitest';
import { lookAfterBoot } from '../../lab/faults/after-boot.js';
import { upgradeAndReturn } from '../../lab/faults/jump.js';
import type { Trial } from '../../lab/faults/outcome.js';
import type { Server } from '../../lab/faults/server.js';
import { REAL, replace } from '../../lab/inside/instead.js';
import { lines, segue } from '../../lab/inside/command.js';
import { startSmallServer } from './support/server.ts';

const TIMEOUT = 300_000;
const DAMAGED = 'redis-server.service';

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

let server: Server;
let outcome: Pick<Trial, 'lost' | 'became'>;

beforeAll(async () => {
  server = await startSmallServer();
  await replace(server.guest, '/usr/sbin/kexec', SABOTEUR);
  using clients = await server.startClients();
  // Onto the same kernel once more, which no other test does.
  await upgradeAndReturn(server.guest, TIMEOUT, server.kernel);
  outcome = await lookAfterBoot(server, clients, { kernel: 'new', states: ['settled'], fate: (unit) => (unit === DAMAGED ? 'afresh' : 'restored') });
}, 900_000);

afterAll(async () => await server.guest.down());

test('a workload whose image was damaged is started afresh, with what it had acknowledged; every other one goes on', { timeout: TIMEOUT }, () => {
  expect(outcome.lost).toEqual([]);
});

test('the status says which and why', { timeout: TIMEOUT }, async () => {
  expect(outcome.became).toContain(`${DAMAGED} afresh (its images do not match their checksums)`);
  const said = await segue(server.guest, 'status');
  expect(said.exitCode).toBe(12);
  expect(said.stdout).toMatch(/^redis-server\.service +afresh .*its images do not match their checksums/m);
});

test('its images are kept for whoever wants to know more, those of the others are wiped', { timeout: TIMEOUT }, async () => {
  const { guest } = server;
  expect(await lines(guest, 'cd /var/lib/segue/upgrades/*/handover && ls')).toEqual(['workloads']);
  expect(await lines(guest, 'cd /var/lib/segue/upgrades/*/handover/workloads && ls')).toEqual([DAMAGED]);
  expect(await lines(guest, `cd /var/lib/segue/upgrades/*/handover/workloads/${DAMAGED} && find . -path '*/images/pages-1.img'`)).toHaveLength(1);
});
