import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { readUptimes } from '../../lab/demo/outside.js';
import { readUnits, type UnitState } from '../../lab/demo/services.js';
import type { Guest } from '../../lab/lab.js';
import { COMMAND_MS, line, lines, segue } from '../../lab/inside/command.js';
import { inPlaceOf, without } from '../../lab/inside/instead.js';
import { startServer } from './support/server.ts';
import { readTraces, untouched } from '../../lab/inside/traces.js';

const TIMEOUT = 300_000;

let guest: Guest;
let units: readonly UnitState[];
let begin: number;

beforeAll(async () => {
  guest = await startServer();
  units = await readUnits(guest);
  begin = performance.now();
}, 600_000);

afterAll(async () => await guest.down());

afterEach(async () => {
  expect(await readTraces(guest)).toEqual(untouched(units));
  expect(await lines(guest, 'ls /var/lib/segue/upgrades 2>/dev/null || true')).toEqual([]);
}, TIMEOUT);

const refused = async (...args: readonly string[]) => await segue(guest, 'upgrade', ...args);

const newestKernel = async (): Promise<string> => await line(guest, 'ls /boot | sed -n s/^vmlinuz-//p | sort -V | tail -n 1');

test('a user who is not root is told so', { timeout: TIMEOUT }, async () => {
  const asNobody = async (...args: readonly string[]) =>
    await guest.exec(['runuser', '-u', 'nobody', '--', 'segue', ...args], { reject: false, timeoutMs: COMMAND_MS });
  const upgrade = await asNobody('upgrade', '--to', 'newest', '--yes');
  expect(upgrade).toMatchObject({ exitCode: 4, stdout: '' });
  expect(upgrade.stderr).toContain('error: this needs root');
  expect(upgrade.stderr).toContain('hint: run it with sudo');
  expect(await asNobody('check')).toMatchObject({ exitCode: 4, stdout: '' });
});

test('a kernel that is not installed is refused, and those that are get named', { timeout: TIMEOUT }, async () => {
  const { exitCode, stderr } = await refused('--to', '5.99', '--yes');
  expect(exitCode).toBe(2);
  expect(stderr).toContain('error: no installed kernel is called 5.99');
  expect(stderr).toContain(await guest.kernelRelease());
  expect(stderr).toContain(await newestKernel());
});

test('without CRIU its package is named', { timeout: TIMEOUT }, async () => {
  const { exitCode, stderr } = await without(guest, '/usr/sbin/criu', () => refused('--to', 'newest', '--yes'));
  expect(exitCode).toBe(5);
  expect(stderr).toContain('error: criu is not installed');
  expect(stderr).toContain('hint: apt install criu');
});

test('a CRIU that is too old for the new kernel is refused', { timeout: TIMEOUT }, async () => {
  const { exitCode, stderr } = await inPlaceOf(guest, '/usr/sbin/criu', '#!/bin/sh\necho "Version: 4.1.1"\n', () => refused('--to', 'newest', '--yes'));
  expect(exitCode).toBe(5);
  expect(stderr).toContain(`CRIU 4.1.1 is too old for Linux ${await newestKernel()}`);
});

test('a kernel without its initrd is refused, and what is missing is named', { timeout: TIMEOUT }, async () => {
  const initrd = `/boot/initrd.img-${await newestKernel()}`;
  const { exitCode, stderr } = await without(guest, initrd, () => refused('--to', 'newest', '--yes'));
  expect(exitCode).toBe(6);
  expect(stderr).toContain(`${initrd} is missing`);
});

test('a store that the new kernel would not have in time is refused', { timeout: TIMEOUT }, async () => {
  const { exitCode, stderr } = await refused('--to', 'newest', '--yes', '--store', '/run/segue-store');
  await guest.exec('rmdir /run/segue-store');
  expect(exitCode).toBe(6);
  expect(stderr).toContain('the store /run/segue-store is not on the root filesystem');
  expect(stderr).toContain('--store DIR');
});

test('a store without room for the images is refused', { timeout: TIMEOUT }, async () => {
  await guest.exec('fallocate -l "$(($(df --output=avail -B1 / | tail -n 1) - 32 * 1024 * 1024))" /var/filler');
  const { exitCode, stderr } = await refused('--to', 'newest', '--yes');
  await guest.exec('rm /var/filler');
  expect(exitCode).toBe(6);
  expect(stderr).toContain('not enough room for the images in /var/lib/segue');
  expect(stderr).toMatch(/about \d+ MiB are needed, \d+ MiB are free/);
});

test('with nobody there to confirm, the upgrade does not begin', { timeout: TIMEOUT }, async () => {
  const { exitCode, stderr } = await refused('--to', 'newest');
  expect(exitCode).toBe(2);
  expect(stderr).toContain('nobody is there to confirm the upgrade');
  expect(stderr).toContain('--yes');
});

test('a unit that does not run cannot be named to start afresh', { timeout: TIMEOUT }, async () => {
  const { exitCode, stderr } = await refused('--to', 'newest', '--yes', '--afresh', 'no-such-thing');
  expect(exitCode).toBe(2);
  expect(stderr).toContain('no-such-thing.service is not a running service of this machine');
});

test('who installs packages, or forbids a shutdown for another reason, is not cut off', { timeout: TIMEOUT }, async () => {
  // In a login session, which the jump ends.
  const inhibit = "systemd-inhibit --what=shutdown --who=APT --why='packages are being installed' --mode=block sh -c 'echo $$ >/run/inhibits; exec sleep infinity'";
  await guest.exec(`nohup setsid ${inhibit} </dev/null >/dev/null 2>&1 & until test -s /run/inhibits; do sleep 0.1; done`);
  try {
    const { exitCode, stderr } = await refused('--to', 'newest', '--yes');
    expect(exitCode).toBe(10);
    expect(stderr).toContain('error: APT forbids a shutdown');
    expect(stderr).toContain('packages are being installed');
    expect(stderr).not.toContain('segue show');
  } finally {
    await guest.exec('kill "$(cat /run/inhibits)" && rm /run/inhibits');
  }
});

test('the check finds that all services can be carried', { timeout: TIMEOUT }, async () => {
  const { exitCode, stdout } = await segue(guest, 'check', '--json');
  expect(exitCode).toBe(0);
  const { services } = JSON.parse(stdout) as { services: { unit: string; verdict: string }[] };
  const carried = services.filter(({ verdict }) => verdict === 'carried').map(({ unit }) => unit);
  expect(carried.sort()).toEqual(units.map(({ unit }) => unit).sort());
  expect(services.filter(({ verdict }) => verdict === 'obstacle')).toEqual([]);
});

test('a service that holds a terminal is an obstacle, unless it may be started afresh', { timeout: TIMEOUT }, async () => {
  await guest.exec(['systemd-run', '--unit=pty-holder', 'script', '--quiet', '--command', 'echo begun; exec sleep infinity', '/dev/null']);
  try {
    await guest.exec('until journalctl -u pty-holder -o cat | grep -q begun; do sleep 0.1; done', { timeoutMs: COMMAND_MS });

    const check = await segue(guest, 'check');
    expect(check.exitCode).toBe(10);
    expect(check.stdout).toMatch(/^pty-holder\.service +obstacle +.*holds the terminal/m);
    expect(check.stderr).toMatch(/remedy for pty-holder\.service: .*--afresh/);

    const upgrade = await refused('--to', 'newest', '--yes');
    expect(upgrade.exitCode).toBe(10);
    expect(upgrade.stderr).toContain('error: one service cannot be carried');
    expect(upgrade.stderr).toMatch(/-> pty-holder\.service: .*holds the terminal/);
    expect(upgrade.stderr).toContain('--afresh pty-holder.service');

    const dryRun = await refused('--to', 'newest', '--dry-run', '--afresh', 'pty-holder');
    expect(dryRun.exitCode).toBe(0);
    expect(dryRun.stdout).toContain('systemctl stop -- pty-holder.service');
    expect(await line(guest, 'systemctl is-active pty-holder')).toBe('active');
  } finally {
    await guest.exec(['systemctl', 'stop', 'pty-holder']);
  }
});

test('a dry run prints the steps and carries none out', { timeout: TIMEOUT }, async () => {
  const { exitCode, stdout } = await refused('--to', 'newest', '--dry-run');
  expect(exitCode).toBe(0);
  const steps = ['#### prepare', 'kexec --load', '#### park', 'nft -f -', 'criu', '/proc/self/fd/8 dump', '#### jump', 'kexec --exec'];
  const places = steps.map((step) => stdout.indexOf(step));
  expect(places).not.toContain(-1);
  expect(places.slice(1, 4)).toEqual([...places.slice(1, 4)].sort((a, b) => a - b));
  for (const { unit } of units) expect(stdout).toContain(`# ${unit}: image `);
});

test('all programs have run since the beginning', { timeout: TIMEOUT }, async () => {
  const uptimes = Object.values(await readUptimes(guest));
  const sinceTheBeginning = (performance.now() - begin) / 1000;
  expect(Math.min(...uptimes)).toBeGreaterThan(sinceTheBeginning);
});

// The kernel does not let this be taken back: nothing can come after it.
test('a kernel that does not load another one is refused', { timeout: TIMEOUT }, async () => {
  await guest.exec(['sysctl', '-w', 'kernel.kexec_load_disabled=1']);
  const { exitCode, stderr } = await refused('--to', 'newest', '--yes');
  expect(exitCode).toBe(3);
  expect(stderr).toContain('this kernel does not load another one');
  expect(stderr).toContain('kernel.kexec_load_disabled');
});
