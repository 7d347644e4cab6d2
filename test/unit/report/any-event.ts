import fc from 'fast-check';
import type { JournalEvent } from '../../../src/store/journal.ts';

const text = fc.oneof(fc.constantFrom('', '"', '\\', '{"at":"2026-01-01T10:00:00Z","kernel":"k","event":"settled"}\n', '\u2028', 'a\nb'), fc.string({ unit: 'binary', maxLength: 12 }));
const unit = fc.oneof({ weight: 4, arbitrary: fc.constantFrom('redis.service', 'nginx.service', 'game.service') }, { weight: 1, arbitrary: text });
const at = fc.date({ min: new Date('1970-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }).map((date) => date.toISOString());
const count = fc.oneof(fc.nat(), fc.double({ min: 0, max: 1e15, noNaN: true }));

/** An event as any segue might write it, in any order. */
export const anyEvent: fc.Arbitrary<JournalEvent> = fc.record(
  {
    at,
    kernel: fc.constantFrom('6.12.1', '7.3.4'),
    event: fc.oneof(
      fc.constantFrom('begun', 'step', 'imaged', 'snapshot', 'snapshot-failed', 'doubt', 'proven', 'prepared', 'jumping', 'giving-up', 'given-up', 'given-up-in-part', 'arrived', 'locked', 'handover-refused', 'came-back', 'restoring', 'restored', 'restore-failed', 'afresh', 'failed', 'booting', 'settling', 'settled', 'state-skipped'),
      text,
    ),
    unit,
    step: text,
    phase: fc.constantFrom('prepare', 'snapshot', 'park', 'jump', 'other'),
    why: text,
    what: text,
    from: text,
    to: text,
    rounds: fc.array(fc.record({ bytes: count, heldMs: count }), { maxLength: 3 }),
    bytes: count,
    earlierBytes: count,
    heldMs: count,
    uptime: count,
    initAt: count,
    rootAt: count,
    // JSON has no -0.
    clockMs: fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }).map((ms) => ms + 0)),
    adoptionMs: count,
    whole: fc.boolean(),
    current: fc.array(unit, { maxLength: 3 }),
    stoppedAt: at,
    slowedAt: at,
    slowedTo: text,
    changed: fc.array(fc.record({ unit, why: text }), { maxLength: 3 }),
    units: fc.array(fc.record({ unit, fate: fc.constantFrom('carried' as const, 'stopped' as const), pid: fc.nat(), memory: count }), { maxLength: 3 }),
  },
  { requiredKeys: ['at', 'kernel', 'event'], noNullPrototype: true },
);
