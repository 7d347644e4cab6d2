import { expect, test } from 'vitest';
import { ownProcesses } from '../../../src/survey/own.ts';
import { task } from './builders.ts';

test('segue is among its own, with who has started it and whom it has started, and nobody else', () => {
  const tasks = new Map([task(1, { parent: 0 }), task(10, { parent: 1 }), task(20, { parent: 10 }), task(21, { parent: 10 }), task(30, { parent: 20 }), task(40, { parent: 30 }), task(50, { parent: 1 })].map((each) => [each.pid, each]));
  expect([...ownProcesses(tasks, 20)].sort()).toEqual([10, 20, 30, 40]);
});
