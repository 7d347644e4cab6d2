import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { handoverPaths } from '../../../src/model/handover.ts';
import { makeReport } from '../../../src/report/report.ts';
import { openJournal, readJournal } from '../../../src/store/journal.ts';
import { abandoned, endAbandoned, heldBytes } from '../../../src/upgrade/reuse.ts';

let store: string;
beforeEach(() => { store = mkdtempSync(join(tmpdir(), 'segue-store-')); });
afterEach(() => { rmSync(store, { recursive: true }); });

function upgrade(id: string, ...events: string[]): string {
  const { handover } = handoverPaths(store, id);
  const journal = openJournal(store, id, '6.12.1');
  for (const event of events) journal.append({ event });
  mkdirSync(handover, { recursive: true });
  writeFileSync(`${handover}/secret`, '');
  return handover;
}
const state = (id: string): string => makeReport(id, readJournal(store, id) ?? []).state;

test('the images of upgrades that never jumped are wiped by the next one; those that jumped have their way back', async () => {
  const [abandoned, undoing, jumped, own] = [upgrade('a', 'begun', 'prepared'), upgrade('d', 'begun', 'giving-up'), upgrade('b', 'begun', 'jumping'), upgrade('c', 'begun')];
  await endAbandoned(store, '6.12.1', 'c');
  expect([abandoned, undoing, jumped, own].map((folder) => existsSync(folder))).toEqual([false, false, true, true]);
  expect([state('a'), state('d'), state('b'), state('c')]).toEqual(['given-up', 'given-up', 'jumping', 'preparing']);
});

test('what cannot be wiped now stays as it was; what was given up in part is wiped as long as something is there', async () => {
  upgrade('a', 'begun', 'given-up-in-part');
  expect(abandoned(store).map(({ id }) => id)).toEqual(['a']);
  expect(await endAbandoned(store, '6.12.1')).toEqual({ ok: true, value: undefined });
  expect([state('a'), abandoned(store)]).toEqual(['given-up-in-part', []]);
});

test('the room that an own container, and those that are wiped first, take need not be free', () => {
  for (const [id, event] of [['a', 'prepared'], ['b', 'jumping'], ['c', 'prepared']] as const) {
    upgrade(id, 'begun', event);
    writeFileSync(handoverPaths(store, id).vault.file, Buffer.alloc(2 ** 20, id));
  }
  expect(heldBytes(store, 'c')).toBe(2 * 2 ** 20);
});
