import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { handoverPaths } from '../../../src/model/handover.ts';
import { makeReport } from '../../../src/report/report.ts';
import { openJournal, readJournal } from '../../../src/store/journal.ts';
import { begunFile } from '../../../src/upgrade/begun.ts';
import { abandoned, endAbandoned, heldBytes } from '../../../src/upgrade/reuse.ts';

// Where it really is, there may be others at work.
vi.mock('../../../src/upgrade/begun.ts', () => {
  const begunFile = (id: string): string => join(store, `begun-${id}`);
  return { begunFile, forgetBegun: (id: string) => { rmSync(begunFile(id), { force: true }); } };
});

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

test('what an upgrade had begun that was killed together with its guard is undone, but not what was not announced in full', async () => {
  const handover = upgrade('a', 'begun', 'step');
  const log = join(store, 'log');
  const step = (word: string) => ({ title: word, undo: { kind: 'run', argv: ['sh', '-c', `echo ${word} >>"$0"`, log] } });
  const lines = [{ id: 'a', store, kernel: '6.12.1', pid: 4_194_304, controlGroup: '/no/such/group' }, step('a'), step('b')].map((line) => JSON.stringify(line));
  writeFileSync(begunFile('a'), `${lines.join('\n')}\n${JSON.stringify(step('torn')).slice(0, -9)}`);
  expect(await endAbandoned(store, '6.12.1')).toEqual({ ok: true, value: undefined });
  expect(readFileSync(log, 'utf8')).toBe('b\na\n');
  expect([state('a'), existsSync(handover), existsSync(begunFile('a'))]).toEqual(['given-up', false, false]);
  expect(readJournal(store, 'a')?.map(({ event }) => event)).toEqual(['begun', 'step', 'giving-up', 'given-up']);
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
