import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import * as flags from '../../../src/cli/flags.ts';
import { newCommandLine } from '../../../src/plan/command-line.ts';
import { jumpOf, unsettledUpgrade, wayBackOf } from '../../../src/store/arrival.ts';
import { openJournal } from '../../../src/store/journal.ts';
import { damaged, endless } from '../damaged.ts';

test('the new kernel finds the hand-over by its command line', () => {
  const line = newCommandLine('root=/dev/vda ro', { id: '20260102-030405', store: '/srv/images', pidMax: 4_194_304, lastPid: 5100 });
  expect(jumpOf(line)).toEqual({ id: '20260102-030405', store: '/srv/images' });
});

test('a command line without an upgrade, or with an odd one, is no jump', () => {
  for (const line of ['root=/dev/vda ro', 'nosegue.upgrade=1', 'segue.upgrade=../../etc', 'segue.upgrade=']) expect(jumpOf(line)).toBeUndefined();
  expect(jumpOf('segue.upgrade=1')).toEqual({ id: '1', store: '/var/lib/segue' });
  expect(jumpOf('segue.upgrade=1 segue.store=/a segue.upgrade=2 segue.store=/b')).toEqual({ id: '2', store: '/b' });
});

test('on the way back it is found by what boot/way-back noted, and nothing else is believed', () => {
  expect(wayBackOf('20260102-030405 /srv/images lost the way back was tried before\n')).toEqual({
    id: '20260102-030405',
    store: '/srv/images',
    wayBack: { way: 'lost', why: 'the way back was tried before' },
  });
  for (const note of ['', '../.. /srv lost why\n', '20260102-030405 srv lost why\n', '20260102-030405 /srv forth why\n']) expect(wayBackOf(note)).toBeUndefined();
});

const id = fc.stringMatching(/^[0-9A-Za-z-]{1,15}$/);
const store = fc.stringMatching(/^(\/[A-Za-z0-9._-]{1,8}){1,3}$/);

test('whatever the command line was, the hand-over of the upgrade is found on the new one', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('segue.upgrade=other segue.store=/other', 'a="b', 'ro -- quiet', 'segue.upgrade= "')), id, store, (line, upgrade, folder) => {
      expect(jumpOf(newCommandLine(line, { id: upgrade, store: folder, pidMax: 4_194_304, lastPid: 5100 }))).toEqual({ id: upgrade, store: folder });
    }),
  );
});

test('a store that the command line takes is found there again', () => {
  fc.assert(
    fc.property(fc.oneof(store, fc.string(), fc.constantFrom('/', '//', '/a/', '/a//', '/a b', '/a"b', 'a', '/ä')), (input) => {
      let taken: string;
      try {
        taken = flags.store.parse(input);
      } catch (error) {
        expect((error as Error).message).toBe('the store must be an absolute path of letters, digits and ._-/');
        return;
      }
      expect(jumpOf(newCommandLine('ro', { id: '1', store: taken, pidMax: 9, lastPid: 5 }))).toEqual({ id: '1', store: taken });
      expect(wayBackOf(`1 ${taken} lost why\n`)).toMatchObject({ store: taken });
    }),
  );
});

test('what boot/way-back notes is read as it was meant', () => {
  const why = fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\n', ''));
  fc.assert(
    fc.property(id, store, fc.constantFrom('restore', 'afresh', 'lost'), why, (upgrade, folder, way, reason) => {
      expect(wayBackOf(`${upgrade} ${folder} ${way} ${reason}\n`)).toEqual({ id: upgrade, store: folder, wayBack: { way, why: reason } });
    }),
  );
});

test('a damaged note is one of an upgrade and a folder, or none', () => {
  fc.assert(
    fc.property(damaged('20260102-030405 /srv/images lost the way back was tried before\n'), (note) => {
      const arrival = wayBackOf(note);
      if (arrival === undefined) return;
      expect(arrival.id).toMatch(/^[0-9A-Za-z-]+$/);
      expect(arrival.store).toMatch(/^\/\S*$/);
    }),
  );
});

test('lines without end are read in time', () => {
  for (const text of endless(' ', 'a', 'segue.upgrade=1 ', 'segue.upgrade=', '/', 'a /b ')) {
    jumpOf(text);
    wayBackOf(text);
    wayBackOf(`1 /${text}`);
    expect(() => flags.store.parse(`/${text}!`)).toThrow('absolute path');
  }
});

test('an upgrade is not settled until its journal says so', () => {
  const store = mkdtempSync(`${tmpdir()}/segue-store-`);
  onTestFinished(() => { rmSync(store, { recursive: true }); });
  const arrival = { id: '20260102-030405', store };
  expect(unsettledUpgrade(undefined)).toBeUndefined();
  expect(unsettledUpgrade(arrival)).toBeUndefined();
  const journal = openJournal(store, arrival.id, '7.0');
  for (const event of ['arrived', 'booting', 'settling']) {
    journal.append({ event });
    expect(unsettledUpgrade(arrival)).toBe(arrival.id);
  }
  for (const event of ['settled', 'forgotten']) {
    journal.append({ event });
    expect(unsettledUpgrade(arrival)).toBeUndefined();
  }
});
