import { appendFileSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lastEvent, newId, openJournal, parseJournal, readJournal, upgradeIds } from '../../../src/store/journal.ts';

let store: string;
beforeEach(() => {
  store = mkdtempSync(join(tmpdir(), 'segue-store-'));
});
afterEach(() => {
  rmSync(store, { recursive: true });
});

test('an id tells the time to the second and sorts by it', () => {
  expect(newId(new Date('2026-01-02T03:04:05.678Z'))).toBe('20260102-030405');
  expect([newId(new Date('2026-10-01T00:00:00Z')), newId(new Date('2026-09-30T23:59:59Z'))].sort()).toEqual(['20260930-235959', '20261001-000000']);
});

test('events are there as soon as they are appended, with the time and the kernel', () => {
  const journal = openJournal(store, 'one', '6.12.1');
  journal.append({ event: 'begun', from: 'a', to: 'b' });
  const [event] = readJournal(store, 'one') ?? [];

  expect(event).toMatchObject({ kernel: '6.12.1', event: 'begun', from: 'a', to: 'b' });
  expect(Math.abs(Date.now() - Date.parse(event?.at ?? ''))).toBeLessThan(10_000);
});

test('a journal that is opened again goes on where it ended', () => {
  openJournal(store, 'one', 'old').append({ event: 'jumping' });
  openJournal(store, 'one', 'new').append({ event: 'settling' });
  expect(readJournal(store, 'one')?.map(({ event, kernel }) => [event, kernel])).toEqual([['jumping', 'old'], ['settling', 'new']]);
});

test('what was written last is told, unless a power cut has torn it', () => {
  expect(lastEvent(store, 'one')).toBeUndefined();
  const journal = openJournal(store, 'one', 'k');
  journal.append({ event: 'begun' });
  journal.append({ event: 'settled' });
  expect(lastEvent(store, 'one')?.event).toBe('settled');
  appendFileSync(join(store, 'upgrades/one/journal.ndjson'), '{"at":"2026-01-01T10:');
  expect(lastEvent(store, 'one')).toBeUndefined();
});

test('journals are for root only', () => {
  openJournal(store, 'one', 'k');
  expect(statSync(join(store, 'upgrades/one/journal.ndjson')).mode & 0o777).toBe(0o600);
  expect(statSync(join(store, 'upgrades/one')).mode & 0o777).toBe(0o700);
});

test('upgrades are told oldest first, other folders are not upgrades', () => {
  for (const id of ['20260201-000000', '20260101-000000', '.tmp', 'a b']) mkdirSync(join(store, 'upgrades', id), { recursive: true });
  expect(upgradeIds(store)).toEqual({ ok: true, value: ['20260101-000000', '20260201-000000'] });
});

test('without a store there are no upgrades, and no journal of one', () => {
  expect(upgradeIds(join(store, 'nothing'))).toEqual({ ok: true, value: [] });
  expect(readJournal(store, 'one')).toBeUndefined();
});

test('what was torn takes nothing with it that was written after', () => {
  const line = (event: string): string => `{"at":"2026-01-01T00:00:00.000Z","kernel":"6.12.1","event":"${event}"}\n`;
  const torn = line('jumping').slice(0, 30);
  const text = `${line('begun')}${torn}${line('arrived')}${'\0'.repeat(9)}${line('settling')}{"at":"yesterday","kernel":"6.12.1","event":"x"}\n${line('settled')}`;
  expect(parseJournal(text).map(({ event }) => event)).toEqual(['begun', 'arrived', 'settling', 'settled']);
});

test('a folder without a readable journal is no upgrade', () => {
  openJournal(store, 'empty', 'old');
  expect(readJournal(store, 'empty')).toBeUndefined();
});
