/**
 * A workload that slept since its image is not imaged again; one to which something has happened is, and it is said what.
 * A program for each row of the table in docs/snapshots.md sleeps; between its image and the stoppage something happens to
 * it. The upgrade is given up at the jump.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openLab, type Guest } from '../../lab/lab.js';
import { logToStderr } from '../../lab/log.js';
import { HUGE_PAGES_PACE } from '../../src/tools/khugepaged.ts';
import { DOUBTS, type DoubtKind } from '../../src/model/doubt.ts';
import { attempt } from '../../lab/inside/attempt.js';
import { segue } from '../../lab/inside/command.js';
import { HURRIES } from '../../lab/inside/hurries.js';
import { REAL, refusing, replace } from '../../lab/inside/instead.js';
import { readLockTables } from '../../lab/inside/traces.js';
import { connectPeer, type Peer } from './support/peer.ts';

interface Row {
  readonly unit: string;
  /** Perl; it sleeps afterwards. */
  readonly program?: string;
  /** What is done to it, in the guest's bash; $pid is its process. */
  readonly deed?: string;
  /** Why it is imaged again; undefined when it is not. */
  readonly doubt?: DoubtKind;
}

/** A peer outside is connected to this port, and says nothing. */
const OUTSIDE = 7105;
const LISTENS = (port: number): string => `use IO::Socket::INET; our $l = IO::Socket::INET->new(Listen => 5, LocalPort => ${port.toString()}) or die`;
/** Whoever listens may be started at the same time. */
const CONNECTS = (port: number): string => `do { use IO::Socket::INET; my $s; select undef, undef, undef, 0.1 until $s = IO::Socket::INET->new("127.0.0.1:${port.toString()}"); $s }`;
const HANDLES = '$SIG{USR1} = sub { our $n++ }';
const ROWS: readonly Row[] = [
  { unit: 'asleep' },
  { unit: 'waits', program: 'use IO::Socket::INET; our $s = IO::Socket::INET->new(Listen => 5, LocalPort => 7100) or die; while (1) { my $c = $s->accept or next; print $c "hello\n" }' },
  { unit: 'father', program: 'for (1 .. 3) { fork or do { sleep 1000 while 1 } } wait while 1' },
  { unit: 'looked-at', deed: 'cat /proc/$pid/maps /proc/$pid/status >/dev/null' },
  { unit: 'connected', program: `${LISTENS(7102)}; our $c = ${CONNECTS(7102)}; our $a = $l->accept` },
  { unit: 'one-end', program: `${LISTENS(7103)}; our $a = $l->accept` },
  { unit: 'other-end', program: `our $c = ${CONNECTS(7103)}` },
  { unit: 'hosts', program: `${LISTENS(OUTSIDE)}; our $a = $l->accept` },
  { unit: 'deaf', program: `${LISTENS(7104)}; our $a = $l->accept`, doubt: 'connection' },
  { unit: 'speaks', program: `our $c = ${CONNECTS(7104)}; $SIG{USR1} = sub { syswrite $c, "news" }`, deed: 'kill -USR1 $pid; until ss -Htn "sport = :7104" | grep -q "^ESTAB *4"; do :; done', doubt: 'ran' },
  { unit: 'left', program: `${LISTENS(7106)}; our $a = $l->accept`, doubt: 'connection' },
  { unit: 'leaves', program: `our $c = ${CONNECTS(7106)}; $SIG{USR1} = sub { close $c }`, deed: 'kill -USR1 $pid; until ss -Htn "sport = :7106" | grep -q "^CLOSE-WAIT"; do :; done', doubt: 'ran' },
  { unit: 'hears', program: `${LISTENS(7107)}; our $a = $l->accept`, doubt: 'not-imaged' },
  { unit: 'handles', program: HANDLES, deed: 'kill -USR1 $pid; until [ "$(awk \'/SigPnd|ShdPnd/ { sum += $2 } END { print sum }\' /proc/$pid/status)" = 0 ]; do :; done', doubt: 'ran' },
  { unit: 'blocks', program: 'use POSIX; sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGUSR1))', deed: 'kill -USR1 $pid', doubt: 'signal' },
  { unit: 'halted', deed: 'kill -STOP $pid', doubt: 'stopped' },
  { unit: 'bereft', program: 'our $child = fork; sleep 1000 while 1', deed: 'kill -KILL $(cat /proc/$pid/task/$pid/children)', doubt: 'tasks' },
  { unit: 'appended', program: 'open our $f, ">>", "/var/lib/appended" or die', deed: 'echo more >>/var/lib/appended', doubt: 'file' },
  { unit: 'renamed', program: 'open our $f, ">>", "/var/lib/renamed" or die', deed: 'mv /var/lib/renamed /var/lib/renamed.1', doubt: 'file' },
  { unit: 'removed', program: 'open our $f, ">>", "/var/lib/removed" or die', deed: 'rm /var/lib/removed', doubt: 'file' },
  { unit: 'datagram', program: 'use IO::Socket::INET; our $s = IO::Socket::INET->new(Proto => "udp", LocalPort => 7101) or die', deed: 'echo news >/dev/udp/127.0.0.1/7101', doubt: 'queue' },
  { unit: 'local', program: 'use IO::Socket::UNIX; unlink "/run/local"; our $s = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => "/run/local") or die', deed: `perl -e 'use IO::Socket::UNIX; IO::Socket::UNIX->new(Type => SOCK_DGRAM, Peer => "/run/local")->send("news") or die'`, doubt: 'queue' },
  { unit: 'counter', program: 'our $n = syscall(290, 0, 0); open our $e, "+<&=", $n or die', deed: `perl -e '($p) = @ARGV; $n = syscall(434, $p + 0, 0); for $l (glob "/proc/$p/fd/*") { next if readlink($l) !~ /eventfd/; ($d) = $l =~ /(\\d+)$/; $c = syscall(438, $n, $d + 0, 0); open $e, "+<&=", $c; syswrite $e, pack("Q", 1) }' $pid`, doubt: 'counter' },
  { unit: 'limited', deed: 'prlimit --pid $pid --nofile=100:200', doubt: 'terms' },
  { unit: 'nicer', deed: 'renice -n 5 -p $pid >/dev/null', doubt: 'terms' },
  { unit: 'bound', deed: 'taskset -cp 0 $pid >/dev/null', doubt: 'terms' },
  // Of these no image could be proven current.
  { unit: 'alarm', program: 'alarm 100000', doubt: 'timer' },
  { unit: 'fifo', program: 'use POSIX; mkfifo("/run/fifo", 0600); open our $f, "+<", "/run/fifo" or die', doubt: 'descriptor' },
  { unit: 'watches', program: 'our $n = syscall(294, 0); open our $i, "<&=", $n or die', doubt: 'descriptor' },
  { unit: 'shares', program: 'open our $f, "+>", "/var/lib/shared" or die; print $f "x" x 4096; $f->flush; syscall(9, 0, 4096, 3, 1, fileno $f, 0)', doubt: 'shared-file' },
  { unit: 'nameless', program: 'open our $f, ">", "/var/lib/one" or die; link "/var/lib/one", "/var/lib/another"; unlink "/var/lib/one"', doubt: 'nameless' },
  { unit: 'forbids', program: '', deed: '' },
];

/** It may be imaged before it tells, or after. */
const TELLS: Row = { unit: 'tells', program: `our $c = ${CONNECTS(7107)}; $SIG{USR1} = sub { syswrite $c, "news" }` };
/**
 * Stands in for CRIU: when it has imaged who hears, and before anybody has looked at that again, who tells does. And on any machine
 * it takes seconds to read the memory of who hurries.
 */
const TELLING = `#!/bin/sh
${REAL}/criu "$@"
code=$?
pid=$(systemctl show -P MainPID hears)
case "$*" in *"--tree $pid "*--leave-running*)
	systemctl kill --signal=USR1 tells
	until ss -Htn 'sport = :7107' | grep -q '^ESTAB *4'; do :; done
	;;
*"pre-dump --tree $(systemctl show -P MainPID hurries) "*)
	sleep 3
	;;
esac
exit $code
`;

/** Stands in for sync, by which the disks catch up right before the stoppage: it takes until all has happened. */
const HAPPENED = '/run/happened';
const SLOW_SYNC = `#!/bin/sh
[ $# -gt 0 ] || until [ -e ${HAPPENED} ]; do sleep 0.1; done
exec ${REAL}/sync "$@"
`;

interface Told {
  readonly unit: string;
  readonly fate: string;
  readonly current?: boolean;
  readonly doubt?: string;
  readonly snapshot?: string;
  readonly slowedMs?: number;
}

let guest: Guest;
let peer: Peer;
let told: ReadonlyMap<string, Told>;
/** How often the kernel makes huge pages by itself. */
let pace: string;

beforeAll(async () => {
  guest = await openLab({ log: logToStderr }).up({ kernel: '6.12' });
  await guest.exec("systemctl stop nginx redis-server memcached mariadb 'postgresql@*'", { timeoutMs: 120_000 });
  await guest.exec("mkdir -p /etc/systemd/system/forbids.service.d && printf '[X-Segue]\\nSnapshot=no\\n' >/etc/systemd/system/forbids.service.d/segue.conf && systemctl daemon-reload");
  for (const { unit, program = '' } of [...ROWS, TELLS, { unit: 'hurries', program: HURRIES }]) await guest.exec(['systemd-run', '--quiet', '--expand-environment=no', `--unit=${unit}`, 'perl', '-e', `${program}; sleep 1000 while 1`]);
  await guest.exec(`until ss -Htnl "sport = :${OUTSIDE}" | grep -q LISTEN; do sleep 0.1; done`);
  peer = connectPeer(guest, OUTSIDE);
  const deeds = ROWS.map(({ unit, deed = '' }) => `pid=$(systemctl show -p MainPID --value ${unit})\n${deed}`).join('\n');
  pace = (await guest.exec(['cat', HUGE_PAGES_PACE])).stdout.trim();
  await replace(guest, '/usr/sbin/criu', TELLING);
  await replace(guest, '/usr/sbin/kexec', refusing('kexec', '--exec', 'not into that one'));
  await replace(guest, '/usr/bin/sync', SLOW_SYNC);
  const { stdout } = await attempt(guest, 'let the disks catch up', `${deeds}\ntouch ${HAPPENED}`);
  expect(stdout).toContain('not into that one');
  const status = JSON.parse((await segue(guest, 'status', '--json')).stdout) as { state: string; workloads: Told[] };
  expect(status.state).toBe('given-up');
  told = new Map(status.workloads.map((each) => [each.unit, each]));
}, 900_000);

afterAll(async () => {
  peer[Symbol.dispose]();
  await guest.down();
});

test.for(ROWS.filter(({ unit }) => unit !== 'forbids'))('$unit: $doubt', ({ unit, doubt }) => {
  const its = told.get(`${unit}.service`);
  if (doubt === undefined) expect(its).toMatchObject({ snapshot: 'whole', current: true });
  else {
    expect(its?.current).not.toBe(true);
    expect(its?.doubt).toContain(DOUBTS[doubt]);
  }
});

test('whoever forbids it is not held before everything stops', () => {
  const its = told.get('forbids.service');
  expect(its).toBeDefined();
  expect(its).not.toHaveProperty('snapshot');
  expect(its?.current).not.toBe(true);
});

test('who writes its memory faster than it is imaged is slowed down before it is stopped, and is at full speed again', async () => {
  expect(told.get('hurries.service')).toMatchObject({ snapshot: 'memory', slowedMs: expect.any(Number) as number });
  // Where nobody needs the controller any more, there is no such file.
  const { stdout } = await guest.exec('cat /sys/fs/cgroup/system.slice/hurries.service/cpu.max 2>/dev/null || echo max 100000');
  expect(stdout.trim()).toBe('max 100000');
  expect((await guest.exec(['cat', HUGE_PAGES_PACE])).stdout.trim()).toBe(pace);
});

test('all go on', async () => {
  expect(await readLockTables(guest)).toEqual([]);
  // But for one who was halted by another, be it after the plan was made.
  for (const { unit } of ROWS) {
    const { stdout } = await guest.exec(`g=$(systemctl show -p ControlGroup --value ${unit}); cat /sys/fs/cgroup$g/cgroup.freeze; awk '/^State/ { print $2 }' /proc/$(systemctl show -p MainPID --value ${unit})/status`);
    expect(stdout.split('\n'), unit).toEqual(['0', unit === 'halted' ? 'T' : 'S']);
  }
});
