/**
 * Nothing that a peer was told is received is lost: peers outside send numbered bytes in bursts at random moments, and
 * each learns from its receiver in the end how many were read, and whether every one was the one that was due.
 */
import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { stage } from '../../lab/demo/stage.js';
import { watchedUpgrade, type Status } from '../../lab/demo/upgrade.js';
import { openLab, type Guest } from '../../lab/lab.js';
import { logToStderr } from '../../lab/log.js';
import { attempt } from '../../lab/inside/attempt.js';
import { lines, segue } from '../../lab/inside/command.js';
import { inPlaceOf, refusing } from '../../lab/inside/instead.js';
import { Random } from '../../lab/random.js';
import { catchUp, describeRestores, readUnread, startReceivers, unitOf, type Receiver, type Unread } from './support/receivers.ts';
import { HEADER_BYTES, type Verdict } from './support/sender.ts';
import { describeWaiting, readAcknowledgements, startSenders, type Crowd, type Senders } from './support/senders.ts';
import { readLockTables } from '../../lab/inside/traces.js';
import { unitProperties } from './support/units.ts';

/** Five minutes in all on a quiet machine, and a multiple of that on a busy one. */
const TIMEOUT = 900_000;
const SEED = Number(process.env['SEGUE_SEED'] ?? randomInt(2 ** 31));

/** Two are parked together, one before: what it is sent while they still run has to wait longest. */
const RECEIVERS: readonly Receiver[] = [
  { kind: 'loop', port: 7001, priority: 50 },
  { kind: 'behind', port: 7002, priority: 40 },
  { kind: 'blocking', port: 7003, priority: 50 },
];
const CROWDS: readonly Crowd[] = [
  { port: 7001, atRest: 400, late: 80 },
  { port: 7002, atRest: 120, late: 30 },
  { port: 7003, atRest: 6, late: 4 },
];
const PORTS = RECEIVERS.map(({ port }) => port);

/** Parking begins soon after this line. Each line from here on gives some senders a reason to begin, soon after. */
const SOON = 'load Linux';
const WITHIN_MS = 2000;

/** A peer that was not answered for a while sends ever less often: its next try may be as far away as its first one. */
const PATIENCE_MS = 240_000;
/** Whoever waits for so long is looked at. */
const WAITING_MS = 60_000;

const random = new Random(SEED);
/** When an upgrade is interrupted, if it is: some time after a line of park. */
const MOMENTS = ['hold new connections back', 'let the connections that wait', 'lock the sockets', 'and leave it stopped', 'and leave it stopped', 'seal the hand-over'] as const;
const ATTEMPTS = [
  { signal: 'TERM', moment: random.pick(MOMENTS), seconds: random.between(0, 1).toFixed(3) },
  { signal: 'KILL', moment: random.pick(MOMENTS), seconds: random.between(0, 1).toFixed(3) },
] as const;

let guest: Guest;
let senders: Senders;
let mainPids: string[];
const verdicts: Verdict[] = [];

const readMainPids = async (): Promise<string[]> => await Promise.all(RECEIVERS.map(async (receiver) => (await unitProperties(guest, unitOf(receiver), 'MainPID'))['MainPID'] ?? ''));

beforeAll(async () => {
  stage.line(`SEGUE_SEED=${SEED}`);
  guest = await openLab({ log: logToStderr }).up({ kernel: '6.12' });
  await startReceivers(guest, SEED, RECEIVERS);
  senders = startSenders(guest, SEED, CROWDS);
  await senders.open();
  mainPids = await readMainPids();
}, 600_000);

afterAll(async () => {
  senders[Symbol.dispose]();
  await guest.down();
});

/** All that was ever sent on these streams was read, once, in its order. */
function expectAllRead(ended: readonly Verdict[]): void {
  verdicts.push(...ended);
  const faulty = ended.filter(({ sent, read, wrong, error }) => error !== undefined || read !== sent || wrong !== -1);
  stage.line(`${ended.length} streams have ended, ${faulty.length} are faulty; the last verdict took ${(Math.max(0, ...ended.map(({ tookMs }) => tookMs)) / 1000).toFixed(1)} s`);
  expect(faulty).toEqual([]);
}

/** Whoever sends hears of an upgrade before it parks, and of each of its steps. */
function heralds(): (line: string) => void {
  let soon = false;
  return (line) => {
    if (line.includes(SOON)) {
      senders.upgrade();
      soon = true;
    }
    if (soon) senders.step(WITHIN_MS);
  };
}

const quoted = (hear: (line: string) => void) => (line: string): void => {
  stage.quote(line);
  hear(line);
};

/** Even one that is interrupted too late does not jump. */
const withoutJump = async <T>(work: () => Promise<T>): Promise<T> => await inPlaceOf(guest, '/usr/sbin/kexec', refusing('kexec', '--exec', 'not into that one'), work);

async function expectGivenUp(): Promise<void> {
  senders.calm();
  expect(JSON.parse((await segue(guest, 'status', '--json')).stdout)).toMatchObject({ state: 'given-up' });
  expect(await readLockTables(guest)).toEqual([]);
  expect(await lines(guest, "ps -eo stat=,pid=,comm= | grep -i '^t' || true")).toEqual([]);
  expect(await readMainPids()).toEqual(mainPids);
  // A verdict that is still on its way is heard later.
  await catchUp(guest, RECEIVERS, true);
  senders.end(0.5);
  await senders.open();
  expectAllRead(await senders.verdicts());
  await catchUp(guest, RECEIVERS, false);
}

test('a whole park that is given up at the jump loses no byte', { timeout: TIMEOUT }, async () => {
  const { stdout } = await withoutJump(() => attempt(guest, 'no such line', ':', quoted(heralds())));
  expect(stdout).toContain('not into that one');
  await expectGivenUp();
});

test.for(ATTEMPTS)('nor does an upgrade that gets SIG$signal $seconds s after "$moment"', { timeout: TIMEOUT }, async ({ signal, moment, seconds }) => {
  const { exitCode } = await withoutJump(() => attempt(guest, moment, `sleep ${seconds}; kill -${signal} "$segue"`, quoted(heralds())));
  expect(exitCode).not.toBe(0);
  await expectGivenUp();
});

/** What there was to lose at the jump. */
interface Stake {
  readonly unread: Unread;
  /** Connections of which a byte was acknowledged in the second before the last lock. */
  readonly fresh: number;
  readonly acknowledged: ReadonlyMap<string, number>;
}

/** Two connections to different ports may have the same local one. */
const endsOf = ({ port, localPort }: { port: number; localPort: number }): string => `${localPort} to ${port}`;

async function look(lockedAt: number): Promise<Stake> {
  const at = performance.now();
  const acknowledgements = await readAcknowledgements(guest, PORTS);
  const unread = await readUnread(guest, RECEIVERS);
  const fresh = acknowledgements.filter(({ agoMs, bytes }) => bytes > 0 && agoMs - (at - lockedAt) < 1000).length;
  return { unread, fresh, acknowledged: new Map(acknowledgements.map((acknowledgement) => [endsOf(acknowledgement), acknowledgement.bytes])) };
}

test('nor does the jump: each byte that was acknowledged is read in the new kernel, once', { timeout: TIMEOUT }, async () => {
  const herald = heralds();
  let lockedAt = 0;
  let stake: Promise<Stake> | undefined;
  const status: Status = await watchedUpgrade(guest, 'newest', [], (line) => {
    herald(line);
    if (line.includes('lock the sockets')) lockedAt = performance.now();
    // By now all is imaged.
    if (line.includes('seal the hand-over')) stake = look(lockedAt);
  });
  expect(status.state).toBe('settled');
  if (status.workloads.some(({ fate }) => fate !== 'restored')) stage.quote(await describeRestores(guest));
  expect(Object.fromEntries(status.workloads.map(({ unit, fate, why }) => [unit, why ?? fate]))).toEqual(Object.fromEntries(RECEIVERS.map((receiver) => [unitOf(receiver), 'restored'])));
  expect(await readMainPids()).toEqual(mainPids);
  senders.calm();
  const before = verdicts.length;
  await catchUp(guest, RECEIVERS, true);
  const impatience = setInterval(() => void describeWaiting(guest, PORTS).then((text) => stage.quote(text), (error: unknown) => stage.quote(String(error))), WAITING_MS);
  expectAllRead(await senders.finish(PATIENCE_MS).finally(() => clearInterval(impatience)));

  const { unread, fresh, acknowledged } = await stake!;
  const jumped = verdicts.slice(before);
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  stage.line(`at the jump: ${acknowledged.size} connections with ${sum([...acknowledged.values()])} acknowledged bytes, ${fresh} of them heard of it in the second before the lock`);
  stage.line(`${unread.bytes} acknowledged bytes of ${unread.connections} connections were not yet read`);
  stage.line(`${sum(verdicts.map(({ parks }) => parks))} parks of ${verdicts.length} connections; ${verdicts.filter(({ late }) => late).length} came in the midst; ${sum(verdicts.map(({ sent }) => sent))} bytes`);
  // The kernel counts also the header of a stream, and its end.
  for (const verdict of jumped) expect(HEADER_BYTES + (verdict.read ?? 0) + 1, `bytes from port ${endsOf(verdict)}`).toBeGreaterThanOrEqual(acknowledged.get(endsOf(verdict)) ?? 0);
  expect(fresh).toBeGreaterThan(10);
  expect(unread.connections).toBeGreaterThan(10);
});

test('these were thousands of trials', () => {
  expect(verdicts.reduce((total, { parks }) => total + parks, 0)).toBeGreaterThan(2000);
  expect(verdicts.some(({ late }) => late)).toBe(true);
});
