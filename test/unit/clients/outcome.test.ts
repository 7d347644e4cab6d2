import { expect, test } from 'vitest';
import { complaints, makeOutcome, toJson, type Moment } from '../../../lab/demo/outcome.js';
import { DEMO_SERVICES, parseUnits } from '../../../lab/demo/services.js';
import { clientTable, serviceTable } from '../../../lab/demo/table.js';

const UPTIMES = { redis: 90, postgresql: 91.5, mariadb: 92, memcached: 93, counter: 50.25 };
const LATER = { redis: 190, postgresql: 191.5, mariadb: 192, memcached: 173, counter: 130.25 };

const units = DEMO_SERVICES.map(({ pattern }, index) => ({
  unit: pattern.replace('*', '17-main'),
  pid: 300 + index,
  active: true,
}));
const before: Moment = { kernel: '6.12.117', units, uptimes: UPTIMES };
const after: Moment = { kernel: '7.3.4', units, uptimes: LATER };
const ticks = { right: 500, wrong: 0, pauseMs: 20_300 };

const results = DEMO_SERVICES.flatMap(({ clients }) => clients)
  .filter((name) => name !== 'ticker')
  .map((name, index) => ({
    ...{ name, answers: 100, lost: 0, errors: 0, pauseMs: 20_000 + index, longestGaps: [], messages: [] },
  }));

test('an upgrade that carried everything over has nothing to complain about', () => {
  expect(complaints(makeOutcome(before, after, results, ticks))).toEqual([]);
});

test("a service's pause is the longest that any of its clients saw", () => {
  const { services } = makeOutcome(before, after, results, ticks);
  expect(services.find(({ unit }) => unit === 'nginx.service')?.pauseMs).toBe(20_001);
  expect(services.find(({ unit }) => unit === 'ticker.service')?.pauseMs).toBe(20_300);
});

test('a service with another process was not carried over', () => {
  const changed = units.map((unit) => (unit.unit === 'nginx.service' ? { ...unit, pid: 77 } : unit));
  expect(complaints(makeOutcome(before, { ...after, units: changed }, results, ticks))).toEqual([
    'nginx.service was not carried over (process 300, then 77)',
  ]);
});

test('a service that is not active was not carried over', () => {
  const failed = units.map((unit) => (unit.unit === 'ticker.service' ? { ...unit, active: false } : unit));
  expect(complaints(makeOutcome(before, { ...after, units: failed }, results, ticks))).toHaveLength(1);
});

test('a service that happens to have its old process id again, but is younger than before, was not carried over', () => {
  const uptimes = { ...LATER, memcached: 4 };
  expect(complaints(makeOutcome({ ...before, uptimes: { ...UPTIMES, memcached: 5 } }, { ...after, uptimes }, results, ticks))).toEqual([
    'memcached.service was not carried over (process 304, then 304)',
  ]);
});

test('the same kernel, a lost connection, a missing tick and a client without answers are each a complaint', () => {
  const [first, second, ...rest] = results;
  const bad = [{ ...first!, lost: 1, messages: ['reset'] }, { ...second!, answers: 0 }, ...rest];
  expect(complaints(makeOutcome(before, { ...after, kernel: '6.12.117' }, bad, { ...ticks, wrong: 2 }))).toEqual([
    'the kernel is still 6.12.117',
    'http-keepalive: 1 connections lost, 0 errors\n    reset',
    'ticker: 0 connections lost, 2 errors',
    'http-new had no answers at all',
  ]);
});

test('the JSON has exactly what it is documented to have', () => {
  const json = toJson(makeOutcome(before, after, results, ticks)) as Record<string, object[]>;
  expect(Object.keys(json)).toEqual(['kernel', 'services', 'clients']);
  expect(json['services']?.[0]).toEqual({ unit: 'nginx.service', pidBefore: 300, pidAfter: 300, adopted: true, pauseMs: 20_001 });
  expect(json['clients']?.at(-1)).toEqual({ name: 'ticker', answers: 500, lost: 0, errors: 0, pauseMs: 20_300 });
});

test('the tables are plain columns where there is no terminal', () => {
  const outcome = makeOutcome(before, after, results, ticks);
  const [head, nginx] = serviceTable(outcome, false).split('\n');
  expect(head?.trim().split(/ {2,}/)).toEqual(['SERVICE', 'PID BEFORE', 'PID AFTER', 'UPTIME BEFORE', 'UPTIME AFTER', 'CARRIED', 'PAUSE']);
  expect(nginx?.trim().split(/ {2,}/)).toEqual(['nginx.service', '300', '300', '-', '-', 'yes', '20.0 s']);
  expect(clientTable(outcome, false)).not.toMatch(/[│─\u001b]/u);
});

test('what systemctl says of several units is read unit by unit', () => {
  expect(parseUnits('MainPID=412\nId=nginx.service\nActiveState=active\n\nMainPID=0\nId=a@b.service\nActiveState=failed\n')).toEqual([
    { unit: 'nginx.service', pid: 412, active: true },
    { unit: 'a@b.service', pid: 0, active: false },
  ]);
});
