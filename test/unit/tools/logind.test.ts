import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseInhibitors } from '../../../src/tools/logind.ts';
import { fixture } from '../../fixtures/fixture.ts';

test('who forbids what, in a real answer', () => {
  expect(parseInhibitors(fixture('busctl/list-inhibitors.json'))).toEqual({ ok: true, value: [{ what: ['shutdown', 'sleep'], who: 'APT', why: 'APT is installing or removing "packages"', mode: 'block', pid: 674 }] });
  expect(parseInhibitors('{"type":"a(ssssuu)","data":[[]]}')).toEqual({ ok: true, value: [] });
});

test('what makes no sense is said to', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
    expect(parseInhibitors(text)).toMatchObject({ ok: false, failure: { reason: 'output-unreadable' } });
  }));
});
