import { expect, test } from 'vitest';
import { clocksOf, joinClocks, shift } from '../../../src/report/clocks.ts';
import { makeReport } from '../../../src/report/report.ts';
import { parseJournal, type JournalEvent } from '../../../src/store/journal.ts';
import { BEGUN, COMING_BACK, event, JUMPING } from './journals.ts';

const NGINX = { unit: 'nginx.service' };
const after = (time: string, name: string, rest: Partial<JournalEvent> = {}): JournalEvent => event(time, name, { kernel: '7.3.4', ...rest });

/** The clock of the new kernel is 600 ms behind. */
const [BEGINNING, ...REST] = JUMPING;
const JOURNAL: readonly JournalEvent[] = [
  { ...BEGINNING!, clockMs: 250 },
  ...REST,
  after('10:00:08.000', 'arrived', { uptime: 2.5, initAt: 0.9, rootAt: 1.4 }),
  after('10:00:08.300', 'network-restored'),
  after('10:00:09.000', 'state-restored'),
  after('10:00:09.200', 'restoring', NGINX),
  after('10:00:10.000', 'restored', { ...NGINX, adoptionMs: 150 }),
  after('10:00:11.000', 'booting', { clockMs: -350 }),
];

test('a pause is told in parts, which are together as long as it was', () => {
  const nginx = makeReport('id', JOURNAL).workloads[1];
  expect(nginx).toMatchObject({
    fate: 'restored',
    parkedAt: '2026-01-01T10:00:03.000Z',
    restoredAt: '2026-01-01T10:00:10.450Z',
    pauseMs: 7450,
    adoptionMs: 150,
    clocks: { parked: 2000, kexec: 1100, kernel: 900, drivers: 500, store: 1100, network: 300, state: 700, turn: 200, restore: 650 },
  });
  expect(Object.values<number>({ ...nginx?.clocks }).reduce((sum, ms) => sum + ms, 0)).toBe(nginx?.pauseMs);
});

test('what cannot be told is part of what comes next', () => {
  const known = JOURNAL.filter(({ event: name }) => name !== 'network-restored').map((each) => (each.event === 'arrived' ? after('10:00:08.000', 'arrived', { uptime: 2.5 }) : each));
  expect(makeReport('id', known).workloads[1]?.clocks).toEqual({ parked: 2000, kexec: 1100, store: 2500, state: 1000, turn: 200, restore: 650 });
});

test('what was over before what is named first took no time of its own', () => {
  const early = JOURNAL.map((each) => (each.event === 'state-restored' ? { ...each, at: '2026-01-01T10:00:08.100Z' } : each));
  expect(makeReport('id', early).workloads[1]?.clocks).toMatchObject({ network: 300, state: 0, turn: 900 });
});

test('a kernel that has not said how its clock goes is taken at its word', () => {
  const silent = JOURNAL.filter(({ event: name }) => name !== 'booting');
  expect(makeReport('id', silent).workloads[1]).toMatchObject({ restoredAt: '2026-01-01T10:00:09.850Z', pauseMs: 6850 });
  expect(joinClocks(BEGUN)).toBe(BEGUN);
});

test('each kernel since has a clock of its own', () => {
  const [begun, ...others] = COMING_BACK;
  const joined = joinClocks([{ ...begun!, clockMs: 0 }, ...others, event('10:01:02.000', 'booting', { clockMs: 2000 })]);
  expect(joined.map(({ at }) => at).slice(-3)).toEqual(['2026-01-01T10:00:58.000Z', '2026-01-01T10:00:58.100Z', '2026-01-01T10:01:00.000Z']);
  expect(joined.slice(1, -3)).toEqual(others.slice(0, -2));
});

test('of one that came back in the old kernel, and before a jump, there are none', () => {
  expect(clocksOf(COMING_BACK, [], '2026-01-01T10:00:03.000Z', '2026-01-01T10:01:02.000Z')).toBeUndefined();
  expect(clocksOf(BEGUN, [], '2026-01-01T10:00:03.000Z', '2026-01-01T10:00:04.000Z')).toBeUndefined();
});

test('a time that there is not is left as it was', () => {
  expect(shift('2026-01-01T10:00:00Z', 1e300)).toBe('2026-01-01T10:00:00Z');
});

test.each([['"-350"', -350], ['"2.50"', 2.5], ['-0.5', -0.5], ['"x"', undefined], ['""', undefined], ['null', undefined]])('a number that a script wrote as %s is read, and an event with none that makes sense is one all the same', (written, read) => {
  expect(parseJournal(`{"at":"2026-01-01T10:00:00Z","kernel":"k","event":"booting","clockMs":${written}}`)).toEqual([{ at: '2026-01-01T10:00:00Z', kernel: 'k', event: 'booting', clockMs: read }]);
});
