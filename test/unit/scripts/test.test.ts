import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { failures, sum, tally, type VitestReport } from '../../../scripts/test.ts';

const file = (status: string, ...tests: string[]): VitestReport['testResults'][number] => ({
  name: resolve('test/unit/some.test.ts'),
  status,
  message: status === 'failed' && !tests.includes('failed') ? 'no such module' : '',
  assertionResults: tests.map((one) => ({ status: one, fullName: `it has ${one}`, failureMessages: one === 'failed' ? ['it is 1', 'and 2'] : [] })),
});
const report = (numPassedTests: number, numFailedTests: number, ...testResults: VitestReport['testResults']): VitestReport => ({
  numPassedTests,
  numFailedTests,
  testResults,
});

test('passed and failed tests are counted, skipped ones are neither', () => {
  expect(tally(report(2, 1, file('failed', 'passed', 'failed'), file('passed', 'passed', 'pending')), 1)).toEqual({ passed: 2, failed: 1 });
});

test('a file that cannot be loaded counts as one failed', () => {
  expect(tally(report(1, 0, file('failed'), file('passed', 'passed')), 1)).toEqual({ passed: 1, failed: 1 });
});

test('a hook that fails after tests that passed counts as one failed', () => {
  expect(tally(report(2, 0, file('failed', 'passed', 'passed')), 1)).toEqual({ passed: 2, failed: 1 });
});

test('a run that ends badly for another reason does not count as passed', () => {
  expect(tally(report(3, 0, file('passed', 'passed')), 1)).toEqual({ passed: 3, failed: 1 });
  expect(tally(undefined, 0)).toEqual({ passed: 0, failed: 1 });
});

test('what failed is told, and why', () => {
  expect(failures(report(1, 1, file('failed', 'passed', 'failed'), file('passed', 'passed')))).toEqual(['FAILED test/unit/some.test.ts: it has failed\nit is 1\nand 2']);
  expect(failures(report(2, 0, file('failed', 'passed', 'passed')))).toEqual(['FAILED test/unit/some.test.ts\nno such module']);
  expect(failures(undefined)).toEqual([]);
});

test('the numbers of several runs add up', () => {
  expect(sum([{ passed: 1, failed: 2 }, { passed: 3, failed: 0 }])).toEqual({ passed: 4, failed: 2 });
  expect(sum([])).toEqual({ passed: 0, failed: 0 });
});

test('a kind of test that does not exist is a wrong usage', () => {
  const { status, stderr } = spawnSync('node_modules/.bin/tsx', ['scripts/test.ts', 'nuit'], { encoding: 'utf8' });
  expect(status).toBe(2);
  expect(stderr).toContain('error: there are no tests called nuit\nhint: npm test -- [unit] [e2e]\n');
});
