import { expect, test } from 'vitest';
import { acknowledgedIn, missing } from '../../../lab/faults/acknowledged.js';
import { becameOf, lostFates } from '../../../lab/faults/after-boot.js';
import { leftBehind, lostByClients, lostUnits } from '../../../lab/faults/losses.js';
import { untouched } from '../../../lab/inside/traces.js';

const BEFORE = [{ unit: 'a.service', pid: 10, active: true }, { unit: 'b.service', pid: 20, active: true }];
const OTHERS = [{ unit: 'a.service', pid: 11, active: true }, { unit: 'b.service', pid: 20, active: false }];
const result = { answers: 5, lost: 0, errors: 0, pauseMs: 0, longestGaps: [], messages: [] };

test('a service is lost when it does not run, and when it is another process', () => {
  expect(lostUnits(BEFORE, BEFORE)).toEqual([]);
  expect(lostUnits(BEFORE, OTHERS)).toEqual(['a.service: its process 10 is gone, 11 has taken its place', 'b.service does not run']);
});

test('nothing is left behind of an upgrade that did not happen', () => {
  expect(leftBehind(untouched(BEFORE))).toEqual([]);
});

test('all that an upgrade may leave behind is told', () => {
  const traces = { units: BEFORE, lockTables: ['table inet segue'], stoppedTasks: ['T 7 perl'], frozenUnits: ['/f'], slowedUnits: ['/s'], tracing: ['segue'], loadedKernels: ['1'], handovers: ['/h'], linkRemaps: ['/l'] };
  expect(leftBehind(traces)).toEqual(['sockets are locked: table inet segue', 'a task stands still: T 7 perl', 'a unit is frozen: /f', 'a unit is slow: /s', 'left behind: the kernel counts calls in segue', 'left behind: a kernel is loaded', 'left behind: images in /h', 'left behind: /l']);
});

test('what clients were told last is what was acknowledged', () => {
  expect(acknowledgedIn([{ ...result, name: 'redis', detail: { counter: 9 } }, { ...result, name: 'postgresql-commits', detail: { rows: 4 } }, { ...result, name: 'recorder', detail: { recorded: 3 } }])).toEqual({ redis: 9, rows: 4, recorded: 3 });
});

test('more than was acknowledged may be there, but not less', () => {
  const acknowledged = { redis: 9, rows: 4, recorded: 3 };
  expect(missing(acknowledged, { ...acknowledged, redis: 10 })).toEqual([]);
  expect(missing(acknowledged, { redis: 8, rows: 3, recorded: 1 })).toEqual(['Redis acknowledged 9 and has 8', '1 of 4 rows that PostgreSQL acknowledged are not there', '2 of 3 numbers that the recorder acknowledged are not in its file']);
});

test('a client that lost something says what', () => {
  expect(lostByClients([{ ...result, name: 'redis' }, { ...result, name: 'http-new', errors: 1, messages: ['refused'] }])).toEqual(['client http-new: 0 connections lost, 1 errors: refused']);
});

const fates = (a: string, b: string) => ({ workloads: [{ unit: 'a.service', fate: a }, { unit: 'b.service', fate: b, why: 'its image was used before' }] });

test('a service that starts afresh is lost where it was to be restored, and the other way round', () => {
  expect(lostFates(BEFORE, BEFORE, fates('restored', 'restored'), { fate: () => 'restored' })).toEqual([]);
  expect(lostFates(BEFORE, BEFORE, fates('restored', 'afresh'), { fate: () => 'restored' })).toEqual(['b.service was to be restored, and is afresh, its image was used before']);
  expect(lostFates(BEFORE, BEFORE, fates('restored', 'afresh'), { fate: () => 'afresh' })).toEqual(['a.service was to be afresh, and is restored']);
  expect(lostFates(BEFORE, BEFORE, fates('restored', 'afresh'), { fate: () => 'either' })).toEqual([]);
});

test('a report is not believed when the process is another, or does not run', () => {
  expect(lostFates(BEFORE, OTHERS, fates('restored', 'restored'), { fate: () => 'restored' })).toEqual(['a.service: said to be restored, but its process 10 is gone, 11 has taken its place', 'b.service does not run']);
  expect(lostFates(BEFORE, OTHERS, fates('afresh', 'afresh'), { fate: () => 'either' })).toEqual(['b.service does not run']);
});

test('what became of an upgrade is a line', () => {
  expect(becameOf({ state: 'back', ...fates('restored', 'afresh') })).toBe('back: a.service restored, b.service afresh (its image was used before)');
});
