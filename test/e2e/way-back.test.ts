import { afterAll, beforeAll, expect, test } from 'vitest';
import { BAD_KERNELS, BEGUN, upgradeToBad } from '../../lab/faults/bad-kernel.js';
import type { Trial } from '../../lab/faults/outcome.js';
import type { Server } from '../../lab/faults/server.js';
import { line, lines, segue } from '../../lab/inside/command.js';
import { startSmallServer } from './support/server.ts';

const TIMEOUT = 300_000;

/** Of `npm run faults -- --only bad-kernel` the one that leaves most to be told apart. */
const KERNEL = BAD_KERNELS.find(({ what }) => what === 'it panics in the midst of the restores')!;

let server: Server;
let outcome: Pick<Trial, 'lost' | 'became'>;

beforeAll(async () => {
  server = await startSmallServer();
  outcome = await upgradeToBad(KERNEL, server);
}, 900_000);

afterAll(async () => await server.guest.down());

test('the machine is back on the old kernel: what was begun starts afresh, what was not is restored, and nobody outside has lost anything of that', { timeout: TIMEOUT }, () => {
  expect(outcome.lost).toEqual([]);
  for (const unit of BEGUN) expect(outcome.became).toContain(`${unit} afresh (its image was used before)`);
});

test('the status tells so', { timeout: TIMEOUT }, async () => {
  const said = await segue(server.guest, 'status');
  expect(said.exitCode).toBe(13);
  expect(said.stdout).toContain(`the machine came back to Linux ${server.kernel}`);
});

test('of the way back nothing is left, and of the upgrade only images that never became a service again', { timeout: TIMEOUT }, async () => {
  const { guest } = server;
  expect(await lines(guest, 'ls /etc/segue')).toEqual([]);
  expect(await lines(guest, 'systemctl list-jobs --no-legend --plain')).toEqual([]);
  expect(await line(guest, 'systemctl get-default')).toBe('graphical.target');
  expect(await lines(guest, 'ls /run/systemd/generator.early 2>/dev/null || true')).not.toContain('default.target');
  // What boot/way-back has opened to look.
  expect(await lines(guest, 'ls -d /dev/mapper/segue-*-look 2>/dev/null; losetup --noheadings --output BACK-FILE | grep deleted; true')).toEqual([]);
  const kept = await lines(guest, 'cd /var/lib/segue/upgrades/*/handover/workloads 2>/dev/null && ls || true');
  for (const unit of kept) expect(BEGUN).toContain(unit);
});
