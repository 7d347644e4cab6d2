import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readJournal } from '../../../src/store/journal.ts';
import type { Alive, GivenUp, GuardOrder } from '../../../src/upgrade/guard.ts';
import type { Undoable } from '../../../src/upgrade/undo.ts';
import { parseMessage, watch } from '../../../src/upgrade/watch.ts';
import { endless } from '../damaged.ts';

const text = fc.oneof(fc.constantFrom('', '\u2028', '\r', '"', '\\', '{"givingUp":"x"}', '\n'), fc.string({ unit: 'binary', maxLength: 15 }));
const order: fc.Arbitrary<GuardOrder> = fc.record({ id: text, store: text, kernel: text, pid: fc.integer({ min: 1, max: 4_194_304 }), controlGroup: text }, { noNullPrototype: true });
const givenUp: fc.Arbitrary<GivenUp> = fc.record({ givingUp: text }, { noNullPrototype: true });
const undo: fc.Arbitrary<Undoable['undo']> = fc.oneof(
  fc.record({ kind: fc.constant('run' as const), argv: fc.array(text, { maxLength: 3 }) }, { noNullPrototype: true }),
  fc.record({ kind: fc.constant('remove' as const), path: text }, { noNullPrototype: true }),
  fc.record({ kind: fc.constant('resume' as const), controlGroup: text, keepStopped: fc.array(fc.nat(), { maxLength: 3 }), images: text }, { noNullPrototype: true }),
  fc.constant({ kind: 'unlock' as const }),
);
const undoable: fc.Arbitrary<Undoable> = fc.oneof(fc.record({ title: text, undo }, { noNullPrototype: true }), fc.record({ title: text, unit: text, undo }, { noNullPrototype: true }));
const alive = fc.constant<Alive>({ alive: true });
const message = fc.oneof(order, givenUp, alive, undoable);

test('the guard understands every message as it was meant, and none that was torn', () => {
  fc.assert(
    fc.property(message, fc.nat(), (sent, at) => {
      const line = JSON.stringify(sent);
      expect(parseMessage(line)).toEqual(sent);
      expect(parseMessage(line.slice(0, at % line.length))).toBeUndefined();
    }),
  );
});

test('a message that lacks a part is none', () => {
  fc.assert(
    fc.property(order, undoable, (whole, step) => {
      for (const part of Object.keys(whole)) expect(parseMessage(JSON.stringify({ ...whole, [part]: undefined }))).toBeUndefined();
      for (const part of ['title', 'undo']) expect(parseMessage(JSON.stringify({ ...step, [part]: undefined }))).toBeUndefined();
    }),
  );
});

test('whatever else a line is, it is no message that makes no sense', () => {
  const value = fc.oneof(fc.json(), text, fc.object({ key: fc.constantFrom('id', 'store', 'kernel', 'pid', 'controlGroup', 'givingUp', 'title', 'unit', 'undo', 'kind'), maxDepth: 2 }).map((object) => JSON.stringify(object)));
  fc.assert(
    fc.property(value, (line) => {
      const understood = parseMessage(line);
      if (understood === undefined) return;
      if ('id' in understood) expect(understood.pid).toBeGreaterThan(0);
      else if ('givingUp' in understood) expect(typeof understood.givingUp).toBe('string');
      else if ('leaving' in understood) expect(understood.leaving).toBe(true);
      else if ('alive' in understood) expect(understood.alive).toBe(true);
      else expect(typeof understood.undo.kind).toBe('string');
    }),
  );
  for (const line of endless('{', '[', '{"id":', '"')) parseMessage(line);
});

test('what was begun is undone, whatever it is called and wherever what announced it was torn', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(text, { maxLength: 4 }), fc.nat(), fc.integer({ min: 1, max: 7 }), async (titles, cut, size) => {
      const folder = mkdtempSync(join(tmpdir(), 'segue-watch-'));
      try {
        const step = (title: string, index: number): Undoable => ({ title, undo: { kind: 'run', argv: ['sh', '-c', `echo ${index} >>"$0/log"`, folder] } });
        const first: GuardOrder = { id: 'one', store: folder, kernel: 'k', pid: process.pid, controlGroup: '/no/such/group' };
        const last = JSON.stringify(step('torn', 99));
        const told = Buffer.from([first, ...titles.map(step)].map((each) => `${JSON.stringify(each)}\n`).join('') + last.slice(0, cut % last.length));
        const input = new PassThrough();
        const watching = watch(input, () => undefined);
        // In pieces, which may end within a character.
        for (let at = 0; at < told.length; at += size) input.write(told.subarray(at, at + size));
        input.end();
        await watching;
        const log = join(folder, 'log');
        expect(existsSync(log) ? readFileSync(log, 'utf8') : '').toBe(titles.map((_, index) => `${index}\n`).toReversed().join(''));
        expect(readJournal(folder, 'one')?.at(-1)?.event).toBe('given-up');
      } finally {
        rmSync(folder, { recursive: true });
      }
    }),
    { numRuns: 25 },
  );
});
