import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ClientsProcess } from '../../lab/demo/clients-process.js';
import { stage } from '../../lab/demo/stage.js';
import type { Guest } from '../../lab/lab.js';
import { attempt, untilImaged, UNTIL_RUNNING } from '../../lab/inside/attempt.js';
import { segue } from '../../lab/inside/command.js';
import { inPlaceOf, refusing } from '../../lab/inside/instead.js';
import { PATTERNS } from '../../lab/faults/prepared.js';
import type { Server } from '../../lab/faults/server.js';
import { readTraces, untouched } from '../../lab/inside/traces.js';
import { startSmallServer } from './support/server.ts';

/** An attempt takes half a minute on a quiet machine, and a multiple of that on a busy one. */
const TIMEOUT = 600_000;

/** Many attempts at an upgrade would take long on a guest that is busy. */
const AT_LEISURE_MS = 500;

let guest: Guest;
let server: Server;
let visitors: ClientsProcess;

beforeAll(async () => {
  server = await startSmallServer();
  ({ guest } = server);
  // CRIU gives another name to what it has open.
  await guest.exec(['systemd-run', '--expand-environment=no', '--unit=nameless', 'perl', '-e', 'chdir "/var/lib" && open(my $file, ">", "one") && link("one", "another") && unlink("one") or die $!; sleep 1 while 1']);
  visitors = await server.startClients({ intervalMs: AT_LEISURE_MS });
}, 600_000);

afterAll(async () => {
  visitors[Symbol.dispose]();
  await guest.down();
});

let attempts = 0;

/** The upgrade was given up, and the machine is as if nothing had been tried. */
async function expectGivenUp(why: string): Promise<void> {
  attempts += 1;
  expect(await readTraces(guest, PATTERNS)).toEqual(untouched(server.units));
  expect(await guest.bootId()).toBe(server.bootId);
  const status = await segue(guest, 'status', '--json');
  expect(JSON.parse(status.stdout)).toMatchObject({ state: 'given-up', why });
  expect(status.exitCode).toBe(1);
}

test('when the new kernel cannot be started, all goes on as before', { timeout: TIMEOUT }, async () => {
  const { exitCode, stderr } = await inPlaceOf(guest, '/usr/sbin/kexec', refusing('kexec', '--exec', 'not into that one'), () => segue(guest, 'upgrade', '--to', 'newest', '--yes'));
  expect(exitCode).toBe(1);
  expect(stderr).toContain('giving up: step failed: start the new kernel');
  expect(stderr).toContain('not into that one');
  expect(stderr).toMatch(/^log: segue show \S+$/m);
  await expectGivenUp('step-failed');
});

test('when a workload cannot be imaged, all goes on as before', { timeout: TIMEOUT }, async () => {
  // It opens a userfaultfd(2), for which there is no image, when it is told to: after the survey.
  const program = '$SIG{USR1} = sub { syscall(323, 0) >= 0 or die "userfaultfd: $!" }; sleep 1 while 1';
  await guest.exec(['systemd-run', '--expand-environment=no', '--unit=obstinate', 'perl', '-e', program]);
  try {
    const { exitCode, stdout } = await attempt(guest, 'lock the sockets', 'systemctl kill --signal=USR1 obstinate');
    expect(stdout).toContain('giving up: obstinate.service could not be imaged');
    expect(stdout).toMatch(/^ -> .*Error .*userfaultfd/m);
    expect(exitCode).toBe(1);
    await expectGivenUp('dump-failed');
  } finally {
    await guest.exec(['systemctl', 'stop', 'obstinate']);
  }
});

test('SIGTERM while a workload is parked gives the upgrade up; a second upgrade changes nothing', { timeout: TIMEOUT }, async () => {
  // It would be over before the second has begun.
  const second = 'kill -STOP $segue; segue upgrade --to newest --yes; echo "the second ends with $?"; kill -TERM $segue; kill -CONT $segue';
  const { exitCode, stdout, stderr } = await attempt(guest, 'redis-server.service: image redis-server', second);
  expect(stderr).toContain('an upgrade is under way');
  expect(stdout).toContain('the second ends with 10');
  expect(stdout).toContain('giving up: interrupted by SIGTERM');
  expect(exitCode).toBe(143);
  await expectGivenUp('interrupted');
});

/** A workload that is imaged for a while. */
const LARGE = 'postgresql@17-main.service';

test.for([
  ['while a workload that sleeps is imaged', 'asleep.service: image all of it', untilImaged('asleep.service')],
  ['while a workload is imaged', `${LARGE}: image postgres`, untilImaged(LARGE)],
] as const)('SIGKILL of segue %s: its guard lets all go on as before', { timeout: TIMEOUT }, async ([, moment, until]) => {
  const { exitCode, stdout, stoppedMs } = await attempt(guest, moment, `${until}; kill -KILL $segue; ${UNTIL_RUNNING}`);
  expect(stdout).toContain(moment);
  expect(stdout).not.toContain('giving up');
  expect(exitCode).toBe(137);
  stage.line(`all ran again ${String(stoppedMs)} ms after segue was killed`);
  await expectGivenUp('its process was killed');
});

test('SIGKILL of the guard: the upgrade itself lets all go on as before', { timeout: TIMEOUT }, async () => {
  const { exitCode, stdout } = await attempt(guest, 'recorder.service: image recorder', 'systemctl kill --signal=KILL "segue-guard-*"');
  expect(stdout).toContain('giving up: the guard of the upgrade has ended');
  expect(exitCode).toBe(1);
  await expectGivenUp('guard-gone');
  await guest.exec('systemctl reset-failed "segue-guard-*"', { reject: false });
});

test('SIGKILL of both segue and its guard: systemd has another let all go on as before', { timeout: TIMEOUT }, async () => {
  const untilUndone = "while systemctl is-active --quiet 'segue-undo@*'; do sleep 0.1; done";
  const both = 'read -r guard </sys/fs/cgroup/system.slice/segue-guard-*.service/cgroup.procs; kill -KILL $guard $segue';
  const { exitCode, stdout, stoppedMs } = await attempt(guest, `${LARGE}: image postgres`, `${untilImaged(LARGE)}; ${both}; ${UNTIL_RUNNING}; ${untilUndone}`);
  expect(stdout).not.toContain('giving up');
  expect(exitCode).toBe(137);
  stage.line(`all ran again ${String(stoppedMs)} ms after both were killed`);
  await expectGivenUp('its process was killed');
});

test('a signal for one that stands still gives the upgrade up, and is heard; systemd ends nobody who cannot report meanwhile', { timeout: TIMEOUT }, async () => {
  const service = (unit: string, program: string, ...properties: string[]) => guest.exec(['systemd-run', '--expand-environment=no', `--unit=${unit}`, ...properties.map((property) => `--property=${property}`), 'perl', '-e', program]);
  await service('listener', '$SIG{USR1} = sub { open(my $file, ">", "/run/heard") }; sleep 1000 while 1');
  await service('reporter', 'use Socket; socket(my $bus, AF_UNIX, SOCK_DGRAM, 0); while (1) { send($bus, "READY=1\nWATCHDOG=1", 0, pack_sockaddr_un($ENV{NOTIFY_SOCKET})); select undef, undef, undef, 0.2 }', 'Type=notify', 'WatchdogSec=4', 'Restart=always');
  const { stdout: before } = await guest.exec('systemctl show --property=MainPID,NRestarts reporter');
  try {
    const tell = 'systemctl kill --signal=USR1 listener';
    const untilMissed = 'until journalctl --quiet --unit=reporter --grep="Watchdog disabled" >/dev/null; do sleep 0.2; done';
    const { exitCode, stdout } = await attempt(guest, 'hold new connections back to those of priority 50', `kill -STOP $segue; ${tell}; ${untilMissed}; kill -CONT $segue`);
    expect(stdout).toContain('giving up: listener.service changed while it was being parked');
    expect(stdout).toMatch(/^ -> a signal \(SIGUSR1\) has come for its process /m);
    expect(exitCode).toBe(1);
    await guest.exec('until test -e /run/heard; do sleep 0.1; done');
    await expectGivenUp('workload-changed');
    expect((await guest.exec('systemctl show --property=MainPID,NRestarts reporter')).stdout).toBe(before);
    expect((await guest.exec(['systemctl', 'service-watchdogs'])).stdout.trim()).toBe('yes');
  } finally {
    await guest.exec('systemctl stop listener reporter; rm -f /run/heard');
  }
});

/** CRIU has imaged a connection of it, which is in repair mode then: whoever reads from it gets an error. */
const untilRepair = (unit: string): string => `until compgen -G "/var/lib/segue/upgrades/*/handover/workloads/${unit}/trees/*/images/tcp-stream-*.img" >/dev/null; do :; done`;

test('SIGKILL of criu in the midst of an image: all goes on as before', { timeout: TIMEOUT }, async () => {
  const deed = `${untilImaged(LARGE)}; criu=$(sed -n 's/^TracerPid:.//p' /proc/$pid/status); ${untilRepair(LARGE)}; kill -KILL $criu`;
  const { exitCode, stdout } = await attempt(guest, `${LARGE}: image postgres`, deed);
  expect(stdout).toContain(`giving up: ${LARGE} could not be imaged`);
  expect(exitCode).toBe(1);
  await expectGivenUp('dump-failed');
});

test('each attempt is in the history as given up', { timeout: TIMEOUT }, async () => {
  const { stdout } = await segue(guest, 'history', '--json');
  const { upgrades } = JSON.parse(stdout) as { upgrades: { state: string }[] };
  expect(upgrades.map(({ state }) => state)).toEqual(Array.from({ length: attempts }, () => 'given-up'));
});

test('the visitors outside lost nothing in all these attempts', { timeout: TIMEOUT }, async () => {
  const results = await visitors.stop();
  expect(results.length).toBeGreaterThan(0);
  for (const { name, answers, lost, errors, messages } of results) {
    expect({ name, lost, errors, messages }).toEqual({ name, lost: 0, errors: 0, messages: [] });
    expect(answers, name).toBeGreaterThan(0);
  }
});
