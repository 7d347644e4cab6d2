import { afterAll, beforeAll, expect, test } from 'vitest';
import { readUnits, type UnitState } from '../../lab/demo/services.js';
import type { ExecResult } from '../../lab/guest/guest.js';
import type { Guest } from '../../lab/lab.js';
import { COMMAND_MS, segue } from './support/command.ts';
import { inPlaceOf, REAL } from './support/instead.ts';
import { startServer } from './support/server.ts';
import { readTraces, untouched } from './support/traces.ts';
import { startVisitors, type Visitors } from './support/visitors.ts';

const TIMEOUT = 300_000;

let guest: Guest;
let bootId: string;
let units: readonly UnitState[];
let visitors: Visitors;

beforeAll(async () => {
  guest = await startServer();
  [bootId, units, visitors] = await Promise.all([guest.bootId(), readUnits(guest), startVisitors(guest)]);
}, 600_000);

afterAll(async () => {
  visitors[Symbol.dispose]();
  await guest.down();
});

/** Says no to some of the calls and hands the others on to the real program. */
const refusing = (program: string, calls: string, complaint: string): string => `#!/bin/sh
case "$*" in ${calls})
	echo '${complaint}' >&2
	exit 1
	;;
esac
exec ${REAL}/${program} "$@"
`;

/** The upgrade was given up, and the machine is as if nothing had been tried. */
async function expectGivenUp(): Promise<void> {
  expect(await readTraces(guest)).toEqual(untouched(units));
  expect(await guest.bootId()).toBe(bootId);
  const status = await segue(guest, 'status', '--json');
  expect(status.exitCode).toBe(1);
  expect(JSON.parse(status.stdout)).toMatchObject({ state: 'given-up' });
}

interface Fault {
  readonly when: string;
  readonly program: string;
  readonly script: string;
  readonly says: readonly string[];
}

const FAULTS: readonly Fault[] = [
  {
    when: 'the new kernel cannot be loaded',
    program: '/usr/sbin/kexec',
    script: refusing('kexec', '--load*', 'no room for a kernel'),
    says: ['a command failed with exit code 1', 'kexec --load', 'no room for a kernel'],
  },
  {
    when: 'connections cannot be held back',
    program: '/usr/sbin/nft',
    script: refusing('nft', "'-f -'", 'no rules today'),
    says: ['nft -f -', 'no rules today'],
  },
  {
    when: 'files on a tmpfs cannot be archived',
    program: '/usr/bin/tar',
    script: '#!/bin/sh\necho "tar: the disk is full" >&2\nexit 2\n',
    says: ['a command failed with exit code 2', 'tar: the disk is full'],
  },
  {
    when: 'the checksums cannot be computed',
    program: '/usr/bin/xxhsum',
    script: '#!/bin/sh\necho "xxhsum: killed" >&2\nexit 1\n',
    says: ['xxhsum: killed'],
  },
  {
    when: 'the journal cannot be written',
    program: '/usr/bin/journalctl',
    script: '#!/bin/sh\necho "no journal" >&2\nexit 1\n',
    says: ['journalctl --sync', 'no journal'],
  },
  {
    when: 'the filesystems cannot be written',
    program: '/usr/bin/sync',
    script: '#!/bin/sh\necho "sync: input/output error" >&2\nexit 1\n',
    says: ['sync: input/output error'],
  },
  {
    when: 'the new kernel cannot be started',
    program: '/usr/sbin/kexec',
    script: refusing('kexec', '--exec', 'not into that one'),
    says: ['step failed: start the new kernel', 'not into that one'],
  },
];

test.for(FAULTS)('when $when, all goes on as before', { timeout: TIMEOUT }, async ({ program, script, says }) => {
  const { exitCode, stderr } = await inPlaceOf(guest, program, script, () => segue(guest, 'upgrade', '--to', 'newest', '--yes'));
  expect(exitCode).toBe(1);
  expect(stderr).toContain('giving up: ');
  for (const words of says) expect(stderr).toContain(words);
  expect(stderr).toMatch(/^log: segue show \S+$/m);
  await expectGivenUp();
});

/** Runs an upgrade and sends it a signal when it says a line. */
async function interruptedAt(moment: string, signal: NodeJS.Signals): Promise<ExecResult> {
  const script = `
    exec 3< <(exec env --default-signal segue upgrade --to newest --yes 2>&1)
    segue=$!
    while IFS= read -r line <&3; do
      printf '%s\\n' "$line"
      case $line in *"$1"*) kill -s "$2" "$segue" ;; esac
    done
    wait "$segue"
  `;
  return await guest.exec(['bash', '-c', script, 'bash', moment, signal.slice('SIG'.length)], { reject: false, timeoutMs: COMMAND_MS });
}

test.for([
  ['SIGINT', 130, 'memcached.service: image'],
  ['SIGTERM', 143, 'redis-server.service: image'],
  ['SIGHUP', 129, 'lock the sockets'],
] as const)('%s while the workloads are being parked gives the upgrade up', { timeout: TIMEOUT }, async ([signal, code, moment]) => {
  const { exitCode, stdout } = await interruptedAt(moment, signal);
  expect(stdout).toContain(moment);
  expect(stdout).toContain(`giving up: interrupted by ${signal}`);
  expect(stdout).not.toContain('archive /run');
  expect(exitCode).toBe(code);
  await expectGivenUp();
});

test('each attempt is in the history as given up', { timeout: TIMEOUT }, async () => {
  const { stdout } = await segue(guest, 'history', '--json');
  const { upgrades } = JSON.parse(stdout) as { upgrades: { state: string }[] };
  expect(upgrades.map(({ state }) => state)).toEqual(Array.from({ length: FAULTS.length + 3 }, () => 'given-up'));
});

test('the visitors outside lost nothing in all these attempts', { timeout: TIMEOUT }, async () => {
  const results = await visitors.stop();
  expect(results.length).toBeGreaterThan(0);
  for (const { name, answers, lost, errors, messages } of results) {
    expect({ name, lost, errors, messages }).toEqual({ name, lost: 0, errors: 0, messages: [] });
    expect(answers, name).toBeGreaterThan(0);
  }
});
