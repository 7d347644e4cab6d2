import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readUptimes } from '../../lab/demo/outside.js';
import { kernelUptime, readUnits, type UnitState } from '../../lab/demo/services.js';
import { upgrade, type Status } from '../../lab/demo/upgrade.js';
import type { Uptimes } from '../../lab/demo/uptimes.js';
import type { Guest } from '../../lab/lab.js';
import { line, lines, segue } from '../../lab/inside/command.js';
import { arrange, PANIC } from '../../lab/inside/accident.js';
import { startServer } from './support/server.ts';
import { readLockTables } from '../../lab/inside/traces.js';

const TIMEOUT = 300_000;

/** After the way back as after every upgrade. */
async function expectNothingLeft(guest: Guest): Promise<void> {
  expect(await readLockTables(guest)).toEqual([]);
  expect(await lines(guest, 'ls /etc/segue')).toEqual([]);
  expect(await lines(guest, 'systemctl list-jobs --no-legend --plain')).toEqual([]);
  expect(await line(guest, 'systemctl get-default')).toBe('graphical.target');
  expect(await lines(guest, 'ls /run/systemd/generator.early 2>/dev/null || true')).not.toContain('default.target');
}

interface Machine {
  readonly units: readonly UnitState[];
  readonly kernel: string;
}

async function look(guest: Guest): Promise<Machine> {
  return { units: await readUnits(guest), kernel: await guest.kernelRelease() };
}

/** As after the next start of a machine that was set up: no kernel has threads with the ids of the services. */
async function leaveLowIds(guest: Guest): Promise<void> {
  const units = (await readUnits(guest)).map(({ unit }) => unit);
  await guest.exec(`echo 3000 >/proc/sys/kernel/ns_last_pid && systemctl restart ${units.join(' ')}`, { timeoutMs: 120_000 });
}

const fates = (status: Status): Record<string, string> => Object.fromEntries(status.workloads.map(({ unit, fate, why }) => [unit, why === undefined ? fate : `${fate}: ${why}`]));
const allAre = (units: readonly UnitState[], fate: string): Record<string, string> => Object.fromEntries(units.map(({ unit }) => [unit, fate]));

describe('a new kernel that panics before it has restored anything', () => {
  let guest: Guest;
  let before: Machine;
  let uptimes: Uptimes;
  let status: Status;
  beforeAll(async () => {
    guest = await startServer();
    await leaveLowIds(guest);
    await arrange(guest, 'accident', { before: ['segue-state.service'], script: PANIC });
    before = await look(guest);
    uptimes = await readUptimes(guest);
    status = await upgrade(guest, 'newest', '--way-back', 'restore');
  }, 900_000);
  afterAll(async () => await guest.down());

  test('leaves the machine on the old kernel, with every workload as it was', { timeout: TIMEOUT }, async () => {
    expect(await look(guest)).toEqual(before);
    const now = await readUptimes(guest);
    const kernel = await kernelUptime(guest);
    for (const [name, seconds] of Object.entries(now)) {
      expect(seconds, name).toBeGreaterThanOrEqual(Math.floor(uptimes[name as keyof Uptimes]));
      expect(seconds, name).toBeGreaterThan(kernel);
    }
  });

  test('is told by the status', { timeout: TIMEOUT }, async () => {
    expect(status.state).toBe('back');
    expect(fates(status)).toEqual(allAre(before.units, 'restored'));
    const said = await segue(guest, 'status');
    expect(said.exitCode).toBe(13);
    expect(said.stdout).toContain(`the machine came back to Linux ${before.kernel}`);
  });

  test('leaves nothing behind', { timeout: TIMEOUT }, async () => {
    await expectNothingLeft(guest);
    expect(await lines(guest, 'cd /var/lib/segue/upgrades/* && ls')).toEqual(['arrived', 'booted', 'came-back', 'journal.ndjson']);
  });
});

describe('a new kernel that panics in the midst of the restores', () => {
  const BEGUN = ['mariadb.service', 'memcached.service', 'redis-server.service'];
  let guest: Guest;
  let before: Machine;
  let status: Status;
  beforeAll(async () => {
    guest = await startServer();
    await leaveLowIds(guest);
    before = await look(guest);
    const waiting = before.units.map(({ unit }) => unit).filter((unit) => !BEGUN.includes(unit));
    const restored = 'restored","unit":"memcached.service"';
    const script = `cd /var/lib/segue/upgrades/*
until [ "$(grep -c '"event":"restoring"' journal.ndjson)" = ${BEGUN.length} ] && grep -q '${restored}' journal.ndjson; do sleep 0.05; done
sync journal.ndjson
${PANIC}`;
    await arrange(guest, 'accident', { before: waiting, script });
    status = await upgrade(guest, 'newest', '--way-back', 'restore');
  }, 900_000);
  afterAll(async () => await guest.down());

  test('gives way to the old kernel: what was begun starts afresh there, what was not is restored', { timeout: TIMEOUT }, async () => {
    const after = await look(guest);
    expect(after.kernel).toBe(before.kernel);
    for (const [index, { unit, pid, active }] of after.units.entries()) {
      expect(active, unit).toBe(true);
      if (BEGUN.includes(unit)) expect(pid, unit).not.toBe(before.units[index]?.pid);
      else expect(pid, unit).toBe(before.units[index]?.pid);
    }
  });

  test('is told by the status, workload by workload', { timeout: TIMEOUT }, async () => {
    expect(status.state).toBe('back');
    expect(fates(status)).toEqual({ ...allAre(before.units, 'restored'), ...Object.fromEntries(BEGUN.map((unit) => [unit, 'afresh: its image was used before'])) });
    expect((await segue(guest, 'status')).exitCode).toBe(13);
  });

  test('leaves nothing behind but the images that never became a service again', { timeout: TIMEOUT }, async () => {
    await expectNothingLeft(guest);
    const kept = await lines(guest, 'cd /var/lib/segue/upgrades/*/handover/workloads 2>/dev/null && ls || true');
    // It had come back in the new kernel.
    expect(kept).not.toContain('memcached.service');
    for (const unit of kept) expect(BEGUN).toContain(unit);
  });
});
