import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { complaints } from '../../lab/demo/outcome.js';
import { readUnits } from '../../lab/demo/services.js';
import type { Guest } from '../../lab/lab.js';
import { line, lines, segue } from '../../lab/inside/command.js';
import { journey, type Journey } from './support/journey.ts';
import { startServer } from './support/server.ts';
import { readTraces, untouched } from '../../lab/inside/traces.js';
import { unitProperties, until } from './support/units.ts';

/** An upgrade takes one or two minutes on a quiet machine, and a multiple of that on a busy one. */
const TIMEOUT = 600_000;
const EXTRA_ADDRESS = '10.77.0.99';

/** A rule that no file has. */
const FIREWALL = "'table inet lab {' 'chain input { type filter hook input priority 0; tcp dport 9 counter drop; }' '}'";

/** A unit that says something in the journal again and again. */
const SPEAKER = `[Service]
ExecStart=/bin/sh -c 'n=0; while :; do n=$((n + 1)); echo "sentence $n"; sleep 1; done'
`;

/** A unit that sends datagrams, by a socket with options that CRIU does not image, and says what goes wrong. */
const SENDER = `[Service]
ExecStart=:/usr/bin/perl -MSocket -e 'socket my $socket, AF_INET, SOCK_DGRAM, 0; setsockopt $socket, 0, 33, pack("i", 9) and setsockopt $socket, 0, 35, inet_aton("224.0.0.99") . inet_aton("10.77.0.2") or die; my $to = sockaddr_in(9, inet_aton("10.77.0.1")); while (1) { send $socket, "x", 0, $to or print STDERR "$!\\n"; select undef, undef, undef, 0.05 }'
`;

/** A unit whose sockets are bound to an address that is gone since. */
const BOUND = `[Service]
Type=exec
ExecStartPre=ip addr add 10.77.0.98/24 dev DEVICE
ExecStart=:/usr/bin/perl -MSocket -e 'for ([SOCK_DGRAM, 98], [SOCK_STREAM, 99]) { socket my $socket, AF_INET, $_->[0], 0; bind $socket, sockaddr_in($_->[1], inet_aton("10.77.0.98")) or die; push @all, $socket } listen $all[1], 1 or die; system "ip addr del 10.77.0.98/24 dev DEVICE"; sleep 1000 while 1'
`;

/** A unit with a connection from the address of a device that the new kernel does not have: nobody makes it again. */
const TUNNELLED = `[Service]
Type=exec
ExecStartPre=sh -c 'ip link add tunnel0 type bridge && ip addr add 10.88.0.1/24 dev tunnel0 && ip link set tunnel0 up'
ExecStart=:/usr/bin/perl -MSocket -e '$at = sockaddr_in(97, inet_aton("10.88.0.1")); socket $all[$_], AF_INET, SOCK_STREAM, 0 for 0, 1; bind $all[0], $at and listen $all[0], 1 and connect $all[1], $at and accept $all[2], $all[0] or die; sleep 1000 while 1'
`;

/** A unit that says so if one of its calls is broken off, as it has no signal to expect that from; and is large enough for rounds of its memory. */
const WAITER = `[Service]
ExecStart=:/usr/bin/perl -MIO::Poll -e '$all = "x" x 2 ** 25; pipe R, W; fork or do { print STDERR "woke after ", sleep 1000000, " s\\n" while 1 }; ($poll = IO::Poll->new)->mask(*R{IO} => POLLIN); print STDERR "poll: ", $poll->poll(-1), "\\n" while 1'
`;

/** What the upgrade does to a unit for one boot, and has to take back. */
const BORROWED = ['Type', 'Restart', 'DropInPaths', 'ControlGroup', 'NotifyAccess', 'PIDFile', 'OnFailure'];

let guest: Guest;
let device: string;
let oldKernel: string;
let newKernel: string;

const ownProperties = async () =>
  Object.fromEntries(
    await Promise.all((await readUnits(guest)).map(async ({ unit }) => [unit, await unitProperties(guest, unit, ...BORROWED)] as const)),
  );

/** What each service has used of the processors, and the time that has elapsed, in µs. */
async function cpuTimes(): Promise<Map<string, number>> {
  const paths = (await readUnits(guest)).map(({ unit }) => unit);
  const read = paths.map((unit) => `sed -n 's/^usage_usec/${unit}/p' "/sys/fs/cgroup$(systemctl show -p ControlGroup --value ${unit})/cpu.stat"`);
  const elapsed = String.raw`awk '{ printf "elapsed %.0f\n", $1 * 1000000 }' /proc/uptime`;
  return new Map((await lines(guest, [elapsed, ...read].join('\n'))).map((text) => [text.split(' ')[0] ?? '', Number(text.split(' ')[1])]));
}

/** What `setsockopt` has done to the sockets of the sender. */
const socketOptions = (): Promise<string[]> => lines(guest, '/usr/lib/segue/socket-options read "$(systemctl show -P MainPID sender)" | cut -d " " -f 2-');

/** Those that each thread of nginx may run on. */
async function processors(): Promise<Map<string, string>> {
  const read = await lines(guest, `sed -sn 's/^\\(Pid\\|Cpus_allowed_list\\):.//p' $(sed 's,.*,/proc/&/status,' "/sys/fs/cgroup$(systemctl show -P ControlGroup nginx)/cgroup.threads") | paste - -`);
  return new Map(read.map((text) => text.split('\t') as [string, string]));
}

beforeAll(async () => {
  guest = await startServer();
  device = await line(guest, "ip -o -4 addr show to 10.77.0.2 | awk '{ print $2 }'");
  oldKernel = await guest.kernelRelease();
  newKernel = await line(guest, 'ls /boot | sed -n s/^vmlinuz-//p | sort -V | tail -n 1');
  await guest.exec(['tee', '/etc/systemd/system/speaker.service'], { input: SPEAKER });
  await guest.exec(['tee', '/etc/systemd/system/sender.service'], { input: SENDER });
  await guest.exec(['tee', '/etc/systemd/system/tunnelled.service'], { input: TUNNELLED });
  await guest.exec(['tee', '/etc/systemd/system/waiter.service'], { input: WAITER });
  await guest.exec(['tee', '/etc/systemd/system/bound.service'], { input: BOUND.replaceAll('DEVICE', device) });
  await guest.exec(`
    set -e
    systemctl daemon-reload && systemctl start speaker sender bound tunnelled waiter
    until [ -z "$(ip -o addr show to 10.77.0.98)" ]; do sleep 0.1; done
    sysctl -w net.core.somaxconn=4567
    hostname lab-renamed
    printf '%s\\n' ${FIREWALL} | nft -f -
    ip addr add ${EXTRA_ADDRESS}/24 dev ${device}
    taskset --cpu-list --pid 1 "$(pgrep -P "$(systemctl show -P MainPID nginx)" | head -n 1)"
    mkdir -m 750 /run/somedir
    for file in /run/somedir/file /dev/shm/segment /tmp/draft; do echo "kept in $file" >"$file"; done
    chown www-data: /tmp/draft && chmod 640 /tmp/draft
  `);
}, 600_000);

afterAll(async () => await guest.down());

describe('to the newest kernel', () => {
  let before: Awaited<ReturnType<typeof ownProperties>>;
  let speakerBefore: Record<string, string>;
  let processorsBefore: Map<string, string>;
  let optionsBefore: string[];
  let result: Journey;

  beforeAll(async () => {
    before = await ownProperties();
    speakerBefore = await unitProperties(guest, 'speaker', 'MainPID', 'ControlGroup');
    processorsBefore = await processors();
    optionsBefore = await socketOptions();
    result = await journey(guest, 'newest');
  }, TIMEOUT);

  test('every service is carried over and no client outside loses or misses anything', () => {
    expect(complaints(result.outcome)).toEqual([]);
  });

  test('the machine runs the new kernel', async () => {
    expect(oldKernel).not.toBe(newKernel);
    expect(await guest.kernelRelease()).toBe(newKernel);
  });

  test('systemd has each service in its own cgroup, under its own settings', async () => {
    expect(await ownProperties()).toEqual(before);
    for (const { unit, pid } of await readUnits(guest)) {
      expect(await line(guest, `cat /proc/${pid}/cgroup`), unit).toBe(`0::${before[unit]?.['ControlGroup'] ?? ''}`);
    }
  });

  test('no lock, no stopped task and no hand-over is left', async () => {
    expect(await readTraces(guest)).toEqual(untouched(await readUnits(guest)));
  });

  test('of the upgrade only its journal and its marks are kept, for root alone', async () => {
    const upgrade = `/var/lib/segue/upgrades/${await newestUpgrade()}`;
    expect(await lines(guest, `ls ${upgrade}`)).toEqual(['arrived', 'booted', 'journal.ndjson', 'settled']);
    expect(await lines(guest, 'find /var/lib/segue -type d -printf "%m %u %p\\n" | grep -v "^700 root "; true')).toEqual([]);
    expect(await lines(guest, 'find /var/lib/segue ! -type d -printf "%m %u %p\\n" | grep -v "^600 root "; true')).toEqual([]);
  });

  test('the status tells of each service that it was restored, and how long it paused', async () => {
    const { exitCode, stdout } = await segue(guest, 'status', '--json');
    expect(exitCode).toBe(0);
    const status = JSON.parse(stdout) as Report;
    expect(status).toMatchObject({ state: 'settled', from: oldKernel, to: newKernel, skipped: [] });
    const services = [...(await readUnits(guest)).map(({ unit }) => unit), 'speaker.service', 'sender.service', 'bound.service', 'tunnelled.service', 'waiter.service'];
    expect(status.workloads.map(({ unit }) => unit).sort()).toEqual(services.sort());
    for (const { unit, fate, pauseMs } of status.workloads) {
      expect({ unit, fate }).toEqual({ unit, fate: 'restored' });
      expect(pauseMs, unit).toBeGreaterThan(0);
    }
  });

  test('the status tells where each pause went, by one clock', async () => {
    const { workloads } = JSON.parse((await segue(guest, 'status', '--json')).stdout) as Report;
    for (const { unit, pauseMs, clocks, adoptionMs } of workloads) {
      expect(Object.keys(clocks ?? {}), unit).toEqual(['parked', 'kexec', 'kernel', 'drivers', 'store', 'network', 'state', 'turn', 'restore']);
      const sum = Object.values(clocks ?? {}).reduce((all, ms) => all + ms, 0);
      // Each is rounded.
      expect(Math.abs(sum - (pauseMs ?? NaN)), unit).toBeLessThanOrEqual(9);
      // No kernel unpacks itself, and no task comes back, in no time.
      for (const name of ['parked', 'kexec', 'kernel', 'drivers', 'store', 'restore']) expect(clocks?.[name], `${unit}: ${name}`).toBeGreaterThan(0);
      expect(adoptionMs, unit).toBeGreaterThan(0);
    }
    const ahead = await lines(guest, `sed -n 's/.*"event":"\\(begun\\|booting\\)".*"clockMs":"\\{0,1\\}-\\{0,1\\}[0-9.]*.*/\\1/p' /var/lib/segue/upgrades/${await newestUpgrade()}/journal.ndjson`);
    expect(ahead).toEqual(['begun', 'booting']);
  });

  test('most memory of a large service was imaged while it ran', async () => {
    const status = JSON.parse((await segue(guest, 'status', '--json')).stdout) as Report;
    const { imagedBytes, earlierBytes, heldMs } = status.workloads.find(({ unit }) => unit === 'mariadb.service') ?? {};
    expect(imagedBytes).toBeGreaterThan(0);
    expect(earlierBytes).toBeGreaterThan(4 * (imagedBytes ?? Infinity));
    expect(heldMs).toBeGreaterThan(0);
    expect(await line(guest, 'sysctl -n vm.overcommit_memory net.ipv4.icmp_ratelimit net.ipv4.ip_nonlocal_bind | tr "\\n" " "')).toBe('0 1000 0 ');
  });

  test('an address is borrowed for no longer than until its device can be there', async () => {
    expect(await line(guest, 'ip -o address show | grep -c 10.88.0.1 || :')).toBe('0');
  });

  test('the history has the upgrade, and shows it', async () => {
    const history = JSON.parse((await segue(guest, 'history', '--json')).stdout) as { upgrades: Report[] };
    expect(history.upgrades).toHaveLength(1);
    const id = history.upgrades[0]?.id ?? '';
    const shown = await segue(guest, 'show', id, '--json');
    expect(shown.exitCode).toBe(0);
    expect(JSON.parse(shown.stdout)).toEqual(history.upgrades[0]);
    expect((await segue(guest, 'show', id)).stdout).toContain(`Linux ${oldKernel} → ${newKernel}: is settled`);
  });

  test('the host name, a sysctl, an address, a rule of the firewall and files in memory came along', async () => {
    expect(await line(guest, 'hostname')).toBe('lab-renamed');
    expect(await line(guest, 'sysctl -n net.core.somaxconn')).toBe('4567');
    expect(await line(guest, `ip -o -4 addr show to ${EXTRA_ADDRESS} | awk '{ print $2, $4 }'`)).toBe(`${device} ${EXTRA_ADDRESS}/24`);
    expect(await line(guest, 'nft list table inet lab | grep -c "tcp dport 9 counter .*drop"')).toBe('1');
    const files = ['/run/somedir/file', '/dev/shm/segment', '/tmp/draft'];
    expect(await lines(guest, `cat ${files.join(' ')}`)).toEqual(files.map((file) => `kept in ${file}`));
    expect(await line(guest, 'stat -c %a:%U /run/somedir')).toBe('750:root');
    expect(await line(guest, 'stat -c %a:%U /tmp/draft')).toBe('640:www-data');
  });

  test('each thread is bound to the processors that it was bound to', async () => {
    expect(new Set(processorsBefore.values())).toEqual(new Set(['0-1', '1']));
    expect(await processors()).toEqual(processorsBefore);
  });

  test('options of sockets, and multicast groups, are what they were', async () => {
    expect(optionsBefore.map((line) => line.split(' ').slice(1, 4).join(' '))).toEqual(['set 0 33', `join 0 ${device}`]);
    expect(await socketOptions()).toEqual(optionsBefore);
  });

  test('what a service prints is in the journal under its name, and goes on where it was', async () => {
    expect(await unitProperties(guest, 'speaker', 'MainPID', 'ControlGroup')).toEqual(speakerBefore);
    await until(guest, 'journalctl -b -u speaker -o cat | grep -c "^sentence" | grep -qv "^[01]$"');
    const numbers = (await lines(guest, 'journalctl -u speaker -o cat | sed -n "s/^sentence //p"')).map(Number);
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => index + 1));
    const now = (await lines(guest, 'journalctl -b -u speaker -o cat | sed -n "s/^sentence //p"')).map(Number);
    expect(now[0]).toBeGreaterThan(1);
    expect(await line(guest, 'journalctl -b -u systemd-journald -o cat | grep -c "uncleanly shut down" || true')).toBe('0');
  });

  test('nothing goes wrong with what a service sends by datagram', async () => {
    expect((await unitProperties(guest, 'sender', 'ActiveState'))['ActiveState']).toBe('active');
    expect(await lines(guest, 'journalctl _SYSTEMD_UNIT=sender.service -o cat')).toEqual([]);
  });

  test('no call in which a program waits is broken off', async () => {
    expect(await line(guest, 'wc -l <"/sys/fs/cgroup$(systemctl show -P ControlGroup waiter)/cgroup.procs"')).toBe('2');
    expect(await lines(guest, 'journalctl _SYSTEMD_UNIT=waiter.service -o cat')).toEqual([]);
  });

  test('no service spins', async () => {
    const earlier = await cpuTimes();
    // Two seconds of the guest's own time.
    await guest.exec(['sleep', '2']);
    const later = await cpuTimes();
    const elapsed = (later.get('elapsed') ?? 0) - (earlier.get('elapsed') ?? 0);
    expect(elapsed).toBeGreaterThan(2_000_000);
    later.delete('elapsed');
    for (const [unit, used] of later) expect((used - (earlier.get(unit) ?? 0)) / elapsed, `processors that ${unit} uses`).toBeLessThan(0.8);
  });
});

// Onto the same kernel: afresh.test.ts. A second time, and to an older one: ram-store.test.ts.
describe('after the upgrade systemd is the master of the services', () => {
  test('nginx reloads its configuration with new workers and the same master', { timeout: TIMEOUT }, async () => {
    const master = await mainPid('nginx');
    const workers = await lines(guest, `pgrep -P ${master}`);
    await guest.exec(['systemctl', 'reload', 'nginx']);
    await until(guest, `! kill -0 ${workers.join(' ')} 2>/dev/null`);
    expect(await mainPid('nginx')).toBe(master);
    expect(await lines(guest, `pgrep -P ${master}`)).not.toEqual([]);
    const request = "exec 3<>/dev/tcp/127.0.0.1/80; printf 'GET / HTTP/1.0\\r\\n\\r\\n' >&3; head -n 1 <&3";
    expect((await guest.exec(['bash', '-c', request])).stdout).toContain(' 200 OK');
  });

  test.for(['redis-server', 'counter'])('%s, killed, is restarted as its unit says', { timeout: TIMEOUT }, async (unit) => {
    const pid = await mainPid(unit);
    await guest.exec(['kill', '-KILL', pid]);
    await until(guest, `[ "$(systemctl show -p NRestarts --value ${unit})" = 1 ] && systemctl is-active --quiet ${unit}`);
    expect(await mainPid(unit)).not.toBe(pid);
  });

  test('a service that is killed and has no Restart= is seen as failed', { timeout: TIMEOUT }, async () => {
    await guest.exec(['kill', '-KILL', await mainPid('speaker')]);
    await until(guest, 'systemctl is-failed --quiet speaker');
    expect(await unitProperties(guest, 'speaker', 'Result', 'MainPID', 'ExecMainStatus')).toEqual({ Result: 'signal', MainPID: '0', ExecMainStatus: '9' });
  });

  // Databases start for long, and no otherwise than these.
  test('stopped, no process of a service is left; started, each runs again', { timeout: TIMEOUT }, async () => {
    const units = ['nginx.service', 'redis-server.service', 'memcached.service', 'counter.service', 'ticker.service'];
    const groups = await Promise.all(units.map((unit) => line(guest, `systemctl show -p ControlGroup --value ${unit}`)));
    const processes = await lines(guest, `cat ${groups.map((group) => `'/sys/fs/cgroup${group}/cgroup.procs'`).join(' ')}`);
    expect(processes.length).toBeGreaterThan(units.length);

    await guest.exec(['systemctl', 'stop', ...units], { timeoutMs: 120_000 });
    // By their names: systemd forgets a stopped instance, and a pattern finds it no more.
    for (const unit of units) expect(await unitProperties(guest, unit, 'ActiveState', 'MainPID'), unit).toEqual({ ActiveState: 'inactive', MainPID: '0' });
    expect(await lines(guest, `for pid in ${processes.join(' ')}; do [ ! -e "/proc/$pid" ] || echo "$pid"; done`)).toEqual([]);

    await guest.exec(['systemctl', 'start', ...units], { timeoutMs: 120_000 });
    expect((await readUnits(guest)).filter((unit) => !unit.active)).toEqual([]);
  });
});

interface Report {
  readonly id: string;
  readonly state: string;
  readonly workloads: readonly { readonly unit: string; readonly fate: string; readonly pauseMs?: number; readonly clocks?: Readonly<Record<string, number>>; readonly adoptionMs?: number; readonly imagedBytes?: number; readonly earlierBytes?: number; readonly heldMs?: number }[];
}

const newestUpgrade = async (): Promise<string> => await line(guest, 'ls /var/lib/segue/upgrades | tail -n 1');

const mainPid = async (unit: string): Promise<string> => (await unitProperties(guest, unit, 'MainPID'))['MainPID'] ?? '';
