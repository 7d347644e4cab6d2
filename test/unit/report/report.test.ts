import { expect, test } from 'vitest';
import { text } from '../../../src/cli/history.ts';
import { exitCodeOf, makeReport, type UpgradeReport } from '../../../src/report/report.ts';
import { parseJournal, type JournalEvent } from '../../../src/store/journal.ts';
import {
  ARRIVED,
  BACK,
  BEGUN,
  COMING_BACK,
  event,
  GIVEN_UP,
  GIVEN_UP_IN_PART,
  JUMPING,
  LOST,
  ONE_AFRESH,
  ONE_FAILED,
  PARKING,
  REFUSED,
  REFUSING,
  SETTLED,
  toText,
} from './journals.ts';

const report = (events: readonly JournalEvent[]): UpgradeReport => makeReport('20260101-100000', events);
const fates = (events: readonly JournalEvent[]): Record<string, string> => Object.fromEntries(report(events).workloads.map(({ unit, fate }) => [unit, fate]));

test.each([
  ['preparing', BEGUN, 0],
  ['parking', PARKING, 0],
  ['jumping', JUMPING, 0],
  ['arrived', ARRIVED, 0],
  ['settled', SETTLED, 0],
  ['settled', ONE_AFRESH, 12],
  ['settled', ONE_FAILED, 14],
  ['given-up', GIVEN_UP, 1],
  ['given-up-in-part', GIVEN_UP_IN_PART, 14],
  ['refused', REFUSED, 12],
  ['coming-back', COMING_BACK, 0],
  ['back', BACK, 13],
  ['back', LOST, 13],
] as const)('an upgrade that is %s is told by its journal', (state, events, exitCode) => {
  expect(report(events).state).toBe(state);
  expect(exitCodeOf(report(events))).toBe(exitCode);
});

test('an upgrade that was cut off while it gave up is not given up altogether', () => {
  expect(report(GIVEN_UP.slice(0, -1)).state).toBe('giving-up');
});

test('an upgrade has ended when it is settled or given up, also one that was refused', () => {
  for (const events of [SETTLED, GIVEN_UP, GIVEN_UP_IN_PART, REFUSED, BACK, LOST]) expect(report(events).endedAt).toBe(events.at(-1)?.at);
  for (const events of [BEGUN, PARKING, JUMPING, ARRIVED, REFUSING, COMING_BACK]) expect(report(events).endedAt).toBeUndefined();
});

test('how long a workload ran without all of its memory is told', () => {
  const given = event('10:00:13.000', 'memory-given', { unit: 'redis.service' });
  expect(report([...SETTLED, given]).workloads.map(({ memoryMs }) => memoryMs)).toEqual([3000, undefined, undefined]);
});

test('for how long a workload was slow before it was stopped is told', () => {
  const [first, ...rest] = SETTLED;
  const slowed = event('10:00:00.600', 'snapshot', { unit: 'nginx.service', rounds: [], slowedAt: '2026-01-01T10:00:00.500Z', slowedTo: '1000 20000' });
  const { workloads } = report([first!, slowed, ...rest]);
  const { parkedAt = '', slowedMs } = workloads[1]!;
  expect(slowedMs).toBe(Date.parse(parkedAt) - Date.parse('2026-01-01T10:00:00.500Z'));
  expect(slowedMs).toBeGreaterThan(0);
  expect(text(report([first!, slowed, ...rest]))).toContain('Slowed down before it was stopped, so that its memory could be imaged: nginx.service for ');
  expect(text(report(SETTLED))).not.toContain('Slowed');
});

test('the last snapshot of a workload is told, and none where that was dropped', () => {
  const snapshotOf = (...events: readonly JournalEvent[]) => {
    const { snapshot, snapshotAt, doubt } = report([...BEGUN, ...events]).workloads.find(({ unit }) => unit === 'redis.service') ?? {};
    return { snapshot, snapshotAt, doubt };
  };
  const taken = event('10:00:01.500', 'snapshot', { unit: 'redis.service', rounds: [] });
  const dropped = event('10:00:01.700', 'snapshot-failed', { unit: 'redis.service', why: 'it writes' });
  expect(snapshotOf()).toEqual({ snapshot: undefined, snapshotAt: undefined, doubt: undefined });
  expect(snapshotOf(taken)).toEqual({ snapshot: 'memory', snapshotAt: taken.at, doubt: undefined });
  expect(snapshotOf(taken, dropped)).toEqual({ snapshot: undefined, snapshotAt: undefined, doubt: 'it writes' });
  expect(snapshotOf(taken, dropped, taken)).toEqual({ snapshot: 'memory', snapshotAt: taken.at, doubt: undefined });
});

test('the pause of a workload goes from its first step of the parking to its restore', () => {
  expect(report(SETTLED).workloads).toEqual([
    { unit: 'redis.service', fate: 'restored', pid: 400, parkedAt: '2026-01-01T10:00:02.500Z', restoredAt: '2026-01-01T10:00:10.000Z', pauseMs: 7500 },
    { unit: 'nginx.service', fate: 'restored', pid: 500, parkedAt: '2026-01-01T10:00:03.000Z', restoredAt: '2026-01-01T10:00:11.000Z', pauseMs: 8000 },
    { unit: 'game.service', fate: 'stopped', pid: 600, parkedAt: '2026-01-01T10:00:02.000Z' },
  ]);
});

test('what came back in a kernel that went down did not come back', () => {
  expect(fates(COMING_BACK)).toEqual({ 'redis.service': 'carried', 'nginx.service': 'carried', 'game.service': 'stopped' });
  expect(report(BACK)).toMatchObject({ from: '6.12.1', to: '7.3.4', backOn: '6.12.1' });
  expect(report(BACK).workloads).toMatchObject([
    { unit: 'redis.service', fate: 'afresh', why: 'its image was used before' },
    { unit: 'nginx.service', fate: 'restored', pauseMs: 59_000 },
    { unit: 'game.service', fate: 'stopped' },
  ]);
  expect(report(BACK).workloads[0]).not.toHaveProperty('pauseMs');
  expect(report(BACK).phases.map(({ phase, ms }) => [phase, ms])).toEqual([['prepare', 2000], ['park', 2000], ['jump', 56_000], ['restore', 3000], ['settle', 500]]);
});

test('why nothing was restored on the way back is told', () => {
  expect(report(LOST).why).toBe('the way back was tried before');
  expect(report(BACK).why).toBeUndefined();
});

test('what was imaged was imaged, also when the workload came back on another kernel than it was to', () => {
  const [first, ...rest] = BACK;
  const imaged = event('10:00:03.200', 'imaged', { unit: 'nginx.service', bytes: 5, earlierBytes: 7 });
  const held = event('10:00:01.000', 'snapshot', { unit: 'nginx.service', rounds: [{ bytes: 7, heldMs: 3 }] });
  expect(report([first!, held, imaged, ...rest]).workloads[1]).toMatchObject({ fate: 'restored', imagedBytes: 5, earlierBytes: 7, heldMs: 3 });
});

test('one of the way back that ended in trouble needs somebody', () => {
  expect(exitCodeOf(report([...BACK.slice(0, -2), event('10:01:03.400', 'failed', { unit: 'redis.service' }), ...BACK.slice(-1)]))).toBe(14);
});

test('a clock that went back gives no negative pause', () => {
  const early = event('09:00:00.000', 'restored', { unit: 'redis.service' });
  expect(report([...ARRIVED, early]).workloads[0]?.pauseMs).toBe(0);
});

test('a workload that could not be restored is told with the reason, and how it ended', () => {
  expect(report(ONE_AFRESH).workloads[1]).toMatchObject({ fate: 'afresh', why: 'its image was used before' });
  expect(report(ONE_FAILED).workloads[1]).toMatchObject({ fate: 'failed', why: 'its images do not match their checksums' });
  expect(fates([...ARRIVED, event('10:00:10.000', 'restore-failed', { unit: 'nginx.service', why: 'x' })])['nginx.service']).toBe('failed');
});

test('where the restore could not say why, it is told what systemd says', () => {
  const afresh = event('10:00:10.000', 'afresh', { unit: 'nginx.service', why: 'systemd says: timeout' });
  const said = event('10:00:11.000', 'failed', { unit: 'nginx.service', why: 'it does not run' });
  expect(report([...ARRIVED, afresh]).workloads[1]).toMatchObject({ fate: 'afresh', why: 'systemd says: timeout' });
  expect(report([...ARRIVED, afresh, said]).workloads[1]).toMatchObject({ fate: 'failed', why: 'it does not run' });
});

test('one that was stopped and does not run again needs somebody', () => {
  const made = report([...SETTLED.slice(0, -1), event('10:00:12.400', 'failed', { unit: 'game.service', why: 'it could not be started again' }), ...SETTLED.slice(-1)]);
  expect(made.workloads[2]).toMatchObject({ fate: 'failed', why: 'it could not be started again' });
  expect(exitCodeOf(made)).toBe(14);
  expect(exitCodeOf(report(SETTLED))).toBe(0);
});

test('before the restore every workload is on its way, and the stopped one is stopped', () => {
  expect(fates(ARRIVED)).toEqual({ 'redis.service': 'carried', 'nginx.service': 'carried', 'game.service': 'stopped' });
});

test('what gave the upgrade an end is told', () => {
  expect(report(GIVEN_UP).why).toBe('dump-failed');
  expect(report(REFUSED).why).toBe('the hand-over is of another machine');
  expect(report(SETTLED).why).toBeUndefined();
});

test('what could not be put back is told', () => {
  expect(report(ONE_AFRESH).skipped).toEqual(['sysctl kernel/x=1']);
});

test('the phases follow each other without a gap', () => {
  expect(report(SETTLED).phases.map(({ phase, ms }) => [phase, ms])).toEqual([['prepare', 2000], ['park', 2000], ['jump', 4000], ['restore', 4000], ['settle', 500]]);
  expect(report(BEGUN).phases.map(({ phase }) => phase)).toEqual(['prepare']);
});

test('a journal that is torn in its last line is read up to there, wherever it is torn', () => {
  const text = toText(SETTLED);
  const lastLine = text.lastIndexOf('\n', text.length - 2) + 1;
  for (let length = lastLine; length < text.length - 1; length += 1) expect(parseJournal(text.slice(0, length))).toEqual(SETTLED.slice(0, -1));
});

test('a torn line in the middle costs that line only', () => {
  const torn = '{"at":"2026-01-01T10:00:08.000Z","kern';
  expect(parseJournal(`${toText(ARRIVED)}${torn}\n${toText(SETTLED.slice(-1))}`)).toEqual([...ARRIVED, ...SETTLED.slice(-1)]);
});

test('events of a newer segue are read, and lines that are no events are left out', () => {
  const [first] = parseJournal('{"at":"2026-01-01T00:00:00Z","kernel":"k","event":"dreaming","depth":3}\n{"at":"t"}\n[]\n\nnull\n');
  expect(first).toMatchObject({ event: 'dreaming' });
  expect(parseJournal('{"at":"t"}\n[]\n\nnull\n')).toEqual([]);
});

test('an upgrade without a journal worth reading is still told', () => {
  expect(report([])).toEqual({ schemaVersion: 1, id: '20260101-100000', state: 'preparing', from: '', to: '', startedAt: '', phases: [], workloads: [], skipped: [] });
});
