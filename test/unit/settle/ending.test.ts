import { expect, test } from 'vitest';
import { endingOf } from '../../../src/settle/ending.ts';

const show = (properties: Record<string, string>): Record<string, string> => ({ ActiveState: 'inactive', Result: 'success', MainPID: '0', ExecMainStartTimestampMonotonic: '7', ...properties });

test('a service runs when it is active, a job while it is activating', () => {
  expect(endingOf(show({ ActiveState: 'active', MainPID: '9' }), false)).toEqual({ runs: true, done: false, mainPid: 9 });
  expect(endingOf(show({ ActiveState: 'reloading' }), false).runs).toBe(true);
  expect(endingOf(show({ ActiveState: 'activating' }), false).runs).toBe(false);
  expect(endingOf(show({ ActiveState: 'activating' }), true).runs).toBe(true);
});

test('what has ended as it should has run before', () => {
  expect(endingOf(show({}), true)).toEqual({ runs: false, done: true, mainPid: 0 });
  expect(endingOf(show({ ExecMainStartTimestampMonotonic: '0' }), true).done).toBe(false);
  expect(endingOf(show({ ActiveState: 'failed', Result: 'exit-code' }), true).done).toBe(false);
  expect(endingOf(show({ ActiveState: 'inactive', Result: 'exec-condition' }), true).done).toBe(false);
  expect(endingOf({}, false)).toEqual({ runs: false, done: false, mainPid: 0 });
});
