import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { exitCodeOf, lastArrival, makeReport } from '../../../src/report/report.ts';
import { newId, openJournal, parseJournal, readJournal, type JournalEvent } from '../../../src/store/journal.ts';
import { endless, damaged } from '../damaged.ts';
import { anyEvent } from '../report/any-event.ts';
import { BACK, SETTLED, toText } from '../report/journals.ts';

const line = (event: JournalEvent): string => `${JSON.stringify(event)}\n`;

/** What a power cut leaves of an event, perhaps with what the filesystem had in its place. */
const torn = fc.tuple(anyEvent, fc.nat(), fc.constantFrom('', '\0', '\0'.repeat(4000), '\n')).map(([event, at, zeros]) => `${line(event).slice(0, at % (line(event).length - 1))}${zeros}`);

test('every event that was written whole is read, whatever was torn before and after it', () => {
  const piece = fc.oneof(anyEvent.map((event) => ({ text: line(event), event })), torn.map((text) => ({ text, event: undefined })));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const read = parseJournal(pieces.map(({ text }) => text).join(''));
      expect(read).toEqual(pieces.flatMap(({ event }) => event ?? []));
    }),
  );
});

test('of a damaged journal only events are read', () => {
  fc.assert(
    fc.property(damaged(toText(SETTLED), toText(BACK)), (text) => {
      for (const { at, kernel, event } of parseJournal(text)) {
        expect(Date.parse(at)).not.toBeNaN();
        expect([typeof kernel, typeof event]).toEqual(['string', 'string']);
      }
    }),
  );
});

test('what is appended is read as it was meant', () => {
  const store = mkdtempSync(join(tmpdir(), 'segue-store-'));
  try {
    let upgrades = 0;
    fc.assert(
      fc.property(fc.array(anyEvent, { minLength: 1, maxLength: 5 }), (events) => {
        const id = `upgrade-${(upgrades += 1)}`;
        const journal = openJournal(store, id, '6.12.1');
        for (const { at: _at, kernel: _kernel, ...event } of events) journal.append(event);
        expect(readJournal(store, id)?.map(({ at: _at, ...event }) => event)).toEqual(events.map(({ at: _at, ...event }) => ({ ...event, kernel: '6.12.1' })));
      }),
      { numRuns: 20 },
    );
  } finally {
    rmSync(store, { recursive: true });
  }
});

test('ids sort as the times that they tell', () => {
  const time = fc.date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true });
  fc.assert(
    fc.property(time, time, (a, b) => {
      expect(newId(a)).toMatch(/^\d{8}-\d{6}$/);
      if (Math.floor(a.getTime() / 1000) < Math.floor(b.getTime() / 1000)) expect(newId(a) < newId(b)).toBe(true);
    }),
  );
});

test('a line without end is read in time', () => {
  for (const text of endless('{"at":', '{', '"', '\\', '\0', '[')) parseJournal(text);
});

/** The exit codes that segue(8) has for the end of an upgrade. */
const EXIT_CODES = [0, 1, 12, 13, 14];

test('any events make a report, with an exit code that is documented', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 30 }), (events) => {
      const report = makeReport('20260101-100000', events);
      expect(EXIT_CODES).toContain(exitCodeOf(report));
      // It is what `--json` prints.
      expect(JSON.parse(JSON.stringify(report))).toEqual(report);
      for (const { pauseMs = 0, heldMs = 0 } of report.workloads) expect(Math.min(pauseMs, heldMs)).toBeGreaterThanOrEqual(0);
      for (const { ms } of report.phases) expect(ms).toBeGreaterThanOrEqual(0);
      expect(report.workloads.map(({ unit }) => unit)).toEqual(events.findLast(({ event }) => event === 'begun')?.units?.map(({ unit }) => unit) ?? []);
      // Nothing is restored that has not come back in the kernel that runs.
      const back = new Set(lastArrival(events).flatMap(({ event, unit }) => (event === 'restored' ? (unit ?? []) : [])));
      for (const { unit, fate } of report.workloads) if (fate === 'restored') expect(back).toContain(unit);
    }),
  );
});

test('events that nobody knows change neither the state nor what became of the workloads', () => {
  const NEWER = fc.constantFrom('dreaming', 'constructor', 'toString', '__proto__', 'hasOwnProperty', '');
  const outcome = (events: readonly JournalEvent[]): unknown => {
    const { state, workloads, endedAt, why, skipped } = makeReport('20260101-100000', events);
    return { state, workloads, endedAt, why, skipped };
  };
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 15 }), fc.nat(), NEWER, (events, at, event) => {
      const place = at % (events.length + 1);
      const newer = { at: '2026-01-01T10:00:00Z', kernel: 'k', event, unit: 'redis.service', why: 'x' };
      expect(outcome(events.toSpliced(place, 0, newer))).toEqual(outcome(events));
    }),
  );
});
