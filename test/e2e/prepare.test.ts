/** An upgrade is prepared in the background, for as long as the administrator likes; then it goes on, or is dropped. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { upgrade } from '../../lab/demo/upgrade.js';
import { openLab, type Guest } from '../../lab/lab.js';
import { logToStderr } from '../../lab/log.js';
import { line, lines, segue } from '../../lab/inside/command.js';
import { readHandovers, readLockTables } from '../../lab/inside/traces.js';
import { connectPeer, type Peer } from './support/peer.ts';

const TIMEOUT = 400_000;
/** It comes to memcached over the network. */
const SECRET = 'seguesegueseguesecret';
const UNITS = ['asleep', 'restarted', 'wakes'] as const;

interface Status {
  readonly state: string;
  readonly why?: string;
  readonly workloads: readonly { readonly unit: string; readonly pid: number; readonly fate: string; readonly snapshot?: string; readonly snapshotAt?: string; readonly current?: boolean }[];
}

let guest: Guest;
/** Of memcached. */
let peer: Peer;

beforeAll(async () => {
  guest = await openLab({ log: logToStderr }).up({ kernel: '6.12' });
  await guest.exec("systemctl disable --now nginx redis-server mariadb 'postgresql@*' postgresql", { timeoutMs: 120_000 });
  for (const unit of UNITS) {
    await guest.exec(['tee', `/etc/systemd/system/${unit}.service`], { input: `[Service]\nExecStart=:/usr/bin/perl -e '$SIG{USR1} = sub { print STDERR "awake\\\\n" }; sleep 1000 while 1'\n` });
  }
  await guest.exec(`systemctl daemon-reload && systemctl start ${UNITS.join(' ')}`);
  peer = connectPeer(guest, 11_211);
  expect(await peer.ask('set song 0 0 5\r\nsegue')).toBe('STORED');
  expect(await peer.ask(`set secret 0 0 ${SECRET.length.toString()}\r\n${SECRET}`)).toBe('STORED');
}, 600_000);

afterAll(async () => {
  peer[Symbol.dispose]();
  await guest.down();
});

async function status(...options: string[]): Promise<Status> {
  return JSON.parse((await segue(guest, 'status', '--json', ...options)).stdout) as Status;
}

const workloadOf = ({ workloads }: Status, unit: string) => workloads.find((each) => each.unit === `${unit}.service`);

async function prepared(): Promise<Status> {
  const { exitCode, stderr } = await segue(guest, 'prepare', '--to', 'newest', '--every', '1');
  expect(exitCode, stderr).toBe(0);
  const is = await status('--wait');
  expect(is.state).toBe('prepared');
  return is;
}

async function expectNoTrace(): Promise<void> {
  expect(await readLockTables(guest)).toEqual([]);
  expect(await lines(guest, 'grep -l 1 /sys/fs/cgroup/system.slice/*/cgroup.freeze; ls /sys/kernel/tracing/instances; systemctl list-units --plain --no-legend "segue-*"; ls /run/segue/prepared.json 2>/dev/null || true')).toEqual([]);
  expect(await readHandovers(guest)).toEqual([]);
}

test('who sleeps is imaged whole, and goes on; the terminal is not needed', { timeout: TIMEOUT }, async () => {
  const is = await prepared();
  for (const unit of [...UNITS, 'memcached']) expect(workloadOf(is, unit), unit).toMatchObject({ snapshot: 'whole' });
  expect((await segue(guest, 'status')).stdout).toMatch(/^asleep\.service +whole /m);
  expect(await lines(guest, 'grep -l 1 /sys/fs/cgroup/system.slice/*/cgroup.freeze || true')).toEqual([]);
  const again = await segue(guest, 'prepare', '--to', 'newest');
  expect(again.exitCode).toBe(10);
  expect(again.stderr).toContain('an upgrade is prepared already');
});

test('what is in the memory of a workload is in its image, and nowhere on the disk', { timeout: TIMEOUT }, async () => {
  // The pattern does not match itself, wherever the guest may have that.
  const pattern = `[s]${SECRET.slice(1)}`;
  expect(await line(guest, `cd /var/lib/segue/upgrades/*/handover/workloads/memcached.service && grep -arc '${pattern}' trees | grep -v ':0$' | wc -l`)).not.toBe('0');
  await guest.exec('sync');
  // As it is on the disk, holes left out.
  expect(await line(guest, `cd /var/lib/segue/upgrades/* && tar --create --sparse --file=- vault | grep -ac '${pattern}'; true`)).toBe('0');
  expect(Number(await line(guest, 'cd /var/lib/segue/upgrades/* && du --block-size=1 vault | cut -f 1'))).toBeGreaterThan(2 ** 20);
});

test('a local user reaches nothing of it', { timeout: TIMEOUT }, async () => {
  const reached = await lines(guest, `for path in /var/lib/segue/upgrades /dev/segue /dev/segue/key-* /dev/mapper/segue-* $(losetup --noheadings --output NAME); do
  setpriv --reuid=nobody --regid=nogroup --clear-groups cat "$path" 2>&1 >/dev/null | grep -q 'Permission denied' || echo "$path"
done`);
  expect(reached).toEqual([]);
});

test('when what keeps the snapshots is killed, all is undone', { timeout: TIMEOUT }, async () => {
  await guest.exec('systemctl kill --signal=KILL segue-prepare.service; while systemctl is-active --quiet segue-prepare.service; do sleep 0.1; done');
  const is = await status('--wait');
  expect(is).toMatchObject({ state: 'given-up', why: 'its process was killed' });
  await guest.exec('systemctl reset-failed segue-prepare.service', { reject: false });
  await guest.exec('while systemctl is-active --quiet "segue-guard-*"; do sleep 0.1; done');
  await expectNoTrace();
});

test('cancelled, it leaves no trace', { timeout: TIMEOUT }, async () => {
  await prepared();
  const { exitCode, stderr } = await segue(guest, 'cancel');
  expect(exitCode, stderr).toBe(0);
  expect(await status()).toMatchObject({ state: 'given-up', why: 'cancelled' });
  await expectNoTrace();
  const nothing = await segue(guest, 'cancel');
  expect(nothing.exitCode).toBe(10);
  expect(nothing.stderr).toContain('there is nothing to cancel');
});

test('who was restarted or has done something is imaged anew', { timeout: TIMEOUT }, async () => {
  const before = await prepared();
  await guest.exec('systemctl restart restarted && systemctl kill --signal=USR1 wakes');
  const of = (is: Status, unit: string): string => workloadOf(is, unit)?.snapshotAt ?? '';
  let now = before;
  const end = performance.now() + 240_000;
  while ((of(now, 'restarted') === of(before, 'restarted') || of(now, 'wakes') === of(before, 'wakes')) && performance.now() < end) {
    await sleep(2000);
    now = await status();
  }
  expect(of(now, 'restarted') > of(before, 'restarted')).toBe(true);
  expect(of(now, 'wakes') > of(before, 'wakes')).toBe(true);
  expect(of(now, 'asleep')).toBe(of(before, 'asleep'));
});

test('the upgrade goes on with what is prepared, and images nobody who sleeps', { timeout: TIMEOUT }, async () => {
  const pids = await line(guest, `systemctl show -P MainPID ${UNITS.join(' ')} memcached`);
  const { snapshotAt } = workloadOf(await status(), 'asleep') ?? {};
  const outcome = await upgrade(guest, 'newest');
  expect(outcome.state).toBe('settled');
  const is = await status();
  for (const unit of [...UNITS, 'memcached']) expect(workloadOf(is, unit), unit).toMatchObject({ fate: 'restored', current: true });
  expect(workloadOf(is, 'asleep')?.snapshotAt).toBe(snapshotAt);
  expect(await line(guest, `systemctl show -P MainPID ${UNITS.join(' ')} memcached`)).toBe(pids);
  expect(await peer.ask('get song')).toBe('VALUE song 0 5');
  expect(await lines(guest, 'ls /run/segue/prepared.json 2>/dev/null || true')).toEqual([]);
  expect(await readHandovers(guest)).toEqual([]);
});
