import { afterAll, beforeAll, expect, test } from 'vitest';
import { upgrade } from '../../lab/demo/upgrade.js';
import type { Guest } from '../../lab/lab.js';
import { line, lines, segue } from '../../lab/inside/command.js';
import { lookAfterBoot } from '../../lab/faults/after-boot.js';
import type { Trial } from '../../lab/faults/outcome.js';
import { PATTERNS } from '../../lab/faults/prepared.js';
import type { Server } from '../../lab/faults/server.js';
import { ALL_PAGES, COUNT_PAGES, FILL_REDIS } from '../../lab/inside/redis-pages.js';
import { readTraces, untouched } from '../../lab/inside/traces.js';
import { startSmallServer } from './support/server.ts';

const TIMEOUT = 600_000;
/** What is in the memory of Redis only, and so in its images. */
const SECRET = 'a secret that nobody else has';
/** The pattern does not match itself, wherever the guest may have that. */
const PATTERN = `[a]${SECRET.slice(1)}`;
const REGION = '512M!4352M';

/** Looks at the store in the new kernel, before the first workload is restored. */
const WITNESS_UNIT = `[Unit]
DefaultDependencies=no
ConditionKernelCommandLine=segue.upgrade
After=segue-lock.service
Before=segue-state.service
[Service]
Type=oneshot
ExecStart=/usr/local/sbin/witness
[Install]
WantedBy=segue-restore.target
`;
const WITNESS = `#!/bin/bash
cd /var/lib/segue/upgrades/* && {
	ls
	findmnt --noheadings --output SOURCE,FSTYPE,OPTIONS handover
	find handover -type d ! -perm 700 -o -type f ! -perm 600 -o ! -user root
	grep -arlc '${PATTERN}' handover/workloads/redis-server.service | wc -l
} >/root/seen
`;

interface Report {
  readonly state: string;
  readonly store?: string;
  readonly storeWhy?: string;
  readonly workloads: readonly { readonly unit: string; readonly fate: string; readonly memoryMs?: number }[];
}

let guest: Guest;
let server: Server;
let setUp: string;
let first: Report;
let second: Report;
let outcome: Pick<Trial, 'lost' | 'became'>;

const status = async (): Promise<Report> => JSON.parse((await segue(guest, 'status', '--json')).stdout) as Report;

beforeAll(async () => {
  server = await startSmallServer();
  ({ guest } = server);
  await guest.exec(FILL_REDIS);
  setUp = (await segue(guest, 'setup', '--ram-store', '512M')).stderr;
  await upgrade(guest, 'newest');
  first = await status();
  await guest.exec('rm -r /var/lib/segue/upgrades/*');
  await guest.exec(`redis-cli SET secret '${SECRET}'`);
  await guest.exec(['install', '-m', '755', '/dev/stdin', '/usr/local/sbin/witness'], { input: WITNESS });
  await guest.exec(['tee', '/etc/systemd/system/witness.service'], { input: WITNESS_UNIT });
  await guest.exec('systemctl daemon-reload && systemctl enable witness');
  using clients = await server.startClients();
  await upgrade(guest, '6.12');
  outcome = await lookAfterBoot(server, clients, { kernel: 'new', states: ['settled'], fate: () => 'restored' });
  second = await status();
}, 1_200_000);

afterAll(async () => await guest.down());

test('what is set up is said, and when it counts', { timeout: TIMEOUT }, async () => {
  expect(setUp).toContain('the upgrade after that uses it, with no reboot in between');
  expect(await line(guest, 'tail -n 1 /etc/segue/ram-store')).toBe(REGION);
});

test('the first upgrade has its images on the disk, and gives the new kernel the memory', { timeout: TIMEOUT }, () => {
  expect(first).toMatchObject({ state: 'settled', store: 'disk', storeWhy: 'the running kernel was not told to leave that memory alone; the next one will be' });
  expect(first.workloads.filter(({ fate }) => fate !== 'restored')).toEqual([]);
});

test('the next one has them in memory, and no client outside loses or misses anything', { timeout: TIMEOUT }, () => {
  expect(second).toMatchObject({ state: 'settled', store: 'ram' });
  expect(outcome.lost).toEqual([]);
});

test('what has much memory runs before it has all of it, which it has in the end, as it was', { timeout: TIMEOUT }, async () => {
  for (const { workloads } of [first, second]) expect(workloads.filter(({ memoryMs }) => memoryMs !== undefined).map(({ unit }) => unit)).toEqual(['redis-server.service']);
  expect((await lines(guest, COUNT_PAGES)).map(Number)).toEqual(ALL_PAGES);
});

test('in the new kernel they were in that memory, unencrypted, for root alone', { timeout: TIMEOUT }, async () => {
  const [names, [mounted, ...exposed]] = await lines(guest, 'cat /root/seen').then((seen) => {
    const at = seen.findIndex((text) => text.startsWith('/dev/pmem'));
    return [seen.slice(0, at), seen.slice(at, -1)] as const;
  });
  expect(names).toEqual(['arrived', 'handover', 'journal.ndjson', 'ram']);
  expect(mounted).toMatch(/^\/dev\/pmem0 +ext4 .*\bdax=always\b/);
  expect(exposed).toEqual([]);
  expect(Number((await lines(guest, 'tail -n 1 /root/seen'))[0])).toBeGreaterThan(0);
});

test('afterwards nothing of them is left in it, nor anywhere else', { timeout: TIMEOUT }, async () => {
  expect(await readTraces(guest, PATTERNS)).toEqual(untouched(server.units));
  expect(await line(guest, 'cmp --bytes=536870912 /dev/pmem0 /dev/zero && echo nothing')).toBe('nothing');
  expect(await lines(guest, 'ls /var/lib/segue/upgrades/*')).toEqual(['arrived', 'booted', 'journal.ndjson', 'settled']);
});

test('the kernel has the memory still, once, for the next upgrade', { timeout: TIMEOUT }, async () => {
  expect(await lines(guest, 'grep -ow "memmap=[^ ]*" /proc/cmdline')).toEqual([`memmap=${REGION}`]);
  expect((await segue(guest, 'check')).stderr).toContain(`the images will be in memory, ${REGION}`);
});

test('what is not Segue\'s own is left alone: the disk is used, and the warning comes before anything begins', { timeout: TIMEOUT }, async () => {
  await guest.exec('mkfs.ext4 -q -L precious /dev/pmem0');
  const { stdout, stderr } = await segue(guest, 'upgrade', '--to', 'newest', '--dry-run');
  expect(stderr).toContain("warning: the store in memory is not used: ext4 is on it, which is not Segue's");
  expect(stdout).toContain('cryptsetup open');
  expect(await line(guest, 'blkid --probe --output value --match-tag LABEL /dev/pmem0')).toBe('precious');
});
