import { expect, test } from 'vitest';
import { planWatchdogSetup } from '../../../src/plan/watchdog-setup.ts';

const watchdog = { identity: 'a timer', drivers: ['timer'], longest: 2046, active: false, goesOn: false };
const kinds = (...args: Parameters<typeof planWatchdogSetup>) => planWatchdogSetup(...args).map(({ action }) => action.kind);

test('a watchdog is told to go on over a jump, for good and from now on', () => {
  const [kept, now] = planWatchdogSetup({ watchdog, configured: false }).map(({ action }) => action);
  expect(kept).toMatchObject({ kind: 'write', path: '/etc/modprobe.d/segue.conf', content: expect.stringMatching(/^options watchdog stop_on_reboot=0$/m) as string });
  expect(now).toMatchObject({ kind: 'run', argv: expect.arrayContaining(['timer']) as string[] });
});

test('nothing is done twice, nor where there is none', () => {
  expect(kinds({ watchdog: { ...watchdog, goesOn: true }, configured: true })).toEqual([]);
  expect(kinds({ watchdog, configured: true })).toEqual(['run']);
  expect(kinds({ watchdog: undefined, configured: false })).toEqual([]);
});

test('one that somebody feeds is left to him until the next boot, and so is a driver that is built in', () => {
  expect(kinds({ watchdog: { ...watchdog, active: true }, configured: false })).toEqual(['write']);
  expect(kinds({ watchdog: { ...watchdog, drivers: [] }, configured: false })).toEqual(['write']);
});
