import { expect, test } from 'vitest';
import { dropIn } from '../../../src/plan/drop-in.ts';
import { workload } from '../survey/builders.ts';

test('a carried unit starts as an anchor in which boot/restore restores', () => {
  expect(dropIn(workload('a.service'))).toMatchSnapshot();
});

test("every command of the unit's own is taken away before one is added", () => {
  const lines = dropIn(workload('a.service')).split('\n');
  for (const command of ['ExecStartPre', 'ExecStart', 'ExecStartPost', 'ExecCondition']) {
    expect(lines.findIndex((line) => line.startsWith(`${command}=`))).toBe(lines.indexOf(`${command}=`));
  }
  expect(lines.filter((line) => /^Exec\w+=./.test(line))).toEqual(['ExecStart=/usr/bin/sleep infinity', 'ExecStartPost=+/usr/lib/segue/restore %n $MAINPID']);
});

test('a sandbox in which nothing may run lets the anchor run', () => {
  const lines = (NoExecPaths: string): string[] => dropIn(workload('a.service', { properties: { NoExecPaths } })).split('\n');
  expect(lines('/')).toContain('ExecPaths=/usr/bin/sleep');
  expect(lines('')).not.toContain('ExecPaths=/usr/bin/sleep');
});
