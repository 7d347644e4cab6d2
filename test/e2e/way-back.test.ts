import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BAD_KERNELS, BEGUN, upgradeToBad } from '../../lab/faults/bad-kernel.js';
import type { Trial } from '../../lab/faults/outcome.js';
import type { Server } from '../../lab/faults/server.js';
import { line, lines, segue } from '../../lab/inside/command.js';
import { startSmallServer } from './support/server.ts';

const TIMEOUT = 300_000;

/** The rest of `npm run faults -- --only bad-kernel` takes longer. */
const ROWS = [
  { what: 'it panics before the first restore', left: ['arrived', 'booted', 'came-back', 'journal.ndjson'], keeps: [] },
  { what: 'it panics in the midst of the restores', left: undefined, keeps: BEGUN },
] as const;

describe.for(ROWS)('a new kernel: $what', ({ what, left, keeps }) => {
  let server: Server;
  let outcome: Pick<Trial, 'lost' | 'became'>;

  beforeAll(async () => {
    server = await startSmallServer();
    outcome = await upgradeToBad(BAD_KERNELS.find((kernel) => kernel.what === what)!, server);
  }, 900_000);
  afterAll(async () => await server.guest.down());

  test('the machine is back on the old kernel, with every workload restored that was not begun, and nobody outside has lost anything', { timeout: TIMEOUT }, () => {
    expect(outcome.lost).toEqual([]);
    for (const unit of BEGUN) expect(outcome.became).toContain(keeps.length === 0 ? `${unit} restored` : `${unit} afresh (its image was used before)`);
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
    if (left !== undefined) expect(await lines(guest, 'cd /var/lib/segue/upgrades/* && ls')).toEqual(left);
    const kept = await lines(guest, 'cd /var/lib/segue/upgrades/*/handover/workloads 2>/dev/null && ls || true');
    for (const unit of kept) expect(keeps).toContain(unit);
  });
});
