import { expect, test } from 'vitest';
import { judge, secondsFor, type Known } from '../../../src/upgrade/choose-watchdog.ts';

const KNOWN: Known = { watchdog: { identity: 'a timer', drivers: ['i6300esb'], longest: 2046, active: false, goesOn: true }, before: '0', unknown: [] };

test('it is used, and its driver is named', () => {
  expect(judge(KNOWN, '7.3.4', 300)).toEqual({ kind: 'counts', identity: 'a timer', seconds: 300, drivers: ['i6300esb'], before: '0', goesOn: true });
});

test('that systemd feeds it is no obstacle, but that another program does', () => {
  const active = { ...KNOWN, watchdog: { ...KNOWN.watchdog, active: true } };
  expect(judge({ ...active, before: '30000000' }, '7.3.4', 300).kind).toBe('counts');
  expect(judge(active, '7.3.4', 300)).toMatchObject({ kind: 'stopped', why: 'another program has it' });
});

test('a good kernel is not to be ended by it', () => {
  expect(judge({ ...KNOWN, watchdog: { ...KNOWN.watchdog, longest: 299 } }, '7.3.4', 300)).toMatchObject({ kind: 'stopped', why: 'it cannot be set to 300 s' });
  expect(judge({ ...KNOWN, unknown: ['i6300esb'] }, '7.3.4', 300)).toMatchObject({ kind: 'stopped', why: 'Linux 7.3.4 has no i6300esb' });
  expect(judge({ ...KNOWN, watchdog: { ...KNOWN.watchdog, drivers: [] } }, '7.3.4', 300)).toMatchObject({ kind: 'stopped', why: 'its driver is no module' });
});

test('the more is to be put back, the longer it has to wait', () => {
  expect(secondsFor(0)).toBe(300);
  expect(secondsFor(10 * 2 ** 30)).toBe(300 + 1024);
});
