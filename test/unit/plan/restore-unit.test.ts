import { expect, test } from 'vitest';
import { restoreUnit } from '../../../src/plan/restore-unit.ts';
import { workload } from '../survey/builders.ts';

const unit = (...contents: string[]): string => restoreUnit(workload('a.service', { unitFiles: contents.map((content, index) => ({ path: `/x/${index}.conf`, content })) }), []);
const FRAGMENT = `# A comment
[Unit]
Description=Words for people
After=network-online.target \\
  postgresql.service
Wants=network-online.target
ConditionPathExists=/etc/a.conf
RequiresMountsFor=/srv
[Service]
Type=forking
Environment="A=b c" \\
# a comment in between
  D=e
ExecStart=/usr/sbin/a --daemon
PrivateTmp=yes

[Install]
WantedBy=multi-user.target
`;

test('a carried unit starts as an anchor in its own sandbox, in which boot/restore restores', () => {
  expect(unit(FRAGMENT, '[Unit]\nRequires=b.service\n[Service]\nLimitNOFILE=5\n')).toMatchSnapshot();
});

test('nothing that it wants or comes after is started with it', () => {
  const lines = unit(FRAGMENT, '[Unit]\nPartOf=b.service\nBindsTo=c.device\nUpholds=d.service\n').split('\n');
  const pulls = lines.filter((line) => /^(After|Before|Wants|Requires|Requisite|BindsTo|PartOf|Upholds|Conflicts)=/.test(line));
  expect(pulls).toEqual(['Wants=segue-state.service', 'After=segue-state.service', 'Conflicts=shutdown.target', 'Before=shutdown.target']);
});

test("every command of the unit's own is taken away before one is added", () => {
  const lines = unit(FRAGMENT).split('\n');
  const ours = lines.slice(lines.lastIndexOf('[Service]'));
  for (const command of ['ExecStartPre', 'ExecStart', 'ExecStartPost', 'ExecCondition']) expect(ours.find((line) => line.startsWith(`${command}=`))).toBe(`${command}=`);
  expect(ours.filter((line) => /^Exec\w+=./.test(line))).toEqual(['ExecStart=/usr/bin/sleep infinity', 'ExecStartPost=+/usr/lib/segue/restore %n $MAINPID']);
});

test('a sandbox in which nothing may run lets the anchor run', () => {
  const lines = (NoExecPaths: string): string[] => restoreUnit(workload('a.service', { properties: { NoExecPaths } }), []).split('\n');
  expect(lines('/')).toContain('ExecPaths=/usr/bin/sleep');
  expect(lines('')).not.toContain('ExecPaths=/usr/bin/sleep');
});
