import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byPriority } from '../../../src/plan/priority.ts';
import { logicalLines, restoreUnit } from '../../../src/plan/restore-unit.ts';
import { endless } from '../damaged.ts';
import { listening, workload } from '../survey/builders.ts';

const unitFiles = (...contents: readonly string[]): { unitFiles: { path: string; content: string }[] } => ({ unitFiles: contents.map((content, index) => ({ path: `/x/${index}.conf`, content })) });
const priorityOf = (...contents: readonly string[]): number | undefined => byPriority([workload('a.service', unitFiles(...contents))])[0]?.priority;
const restored = (...contents: readonly string[]): string => restoreUnit(workload('a.service', unitFiles(...contents)), []);

test('a backslash that another one escapes joins no lines, and one before a blank neither', () => {
  expect(logicalLines('A=b\\\\\nC=d\nE=f \\\n  g\\\nh\nI=j\\ \nK=l')).toEqual(['A=b\\\\', 'C=d', 'E=f    g h', 'I=j\\ ', 'K=l']);
});

test('sections may be indented, and lines end as on other systems', () => {
  expect(restored('  [Unit]\r\n Description=x\r\n After=y\r\n\t[Service]\r\n\tUser=a\r\n\tEnvironment=A=b \\\r\n\t  C=d\r\n').split('\n').slice(1, 6)).toEqual(['[Unit]', 'Description=x', '[Service]', 'User=a', 'Environment=A=b  \t  C=d']);
  expect(priorityOf(' [X-Segue]\r\n Priority = 7\r\n')).toBe(7);
});

test('a file begins without a section, also after one that ended in the one for priorities', () => {
  expect(priorityOf('[X-Segue]\nPriority=7\n', 'Priority=90\n')).toBe(7);
  expect(priorityOf('[X-Segue]\n# \\\nPriority=7 \\\n')).toBe(7);
});

/** Any line of a unit file, without what makes it another one. */
const plainLine = fc.string({ unit: 'binary', maxLength: 20 }).map((text) => text.replace(/[\r\n\\[#;\ufeff]/g, '')).filter((text) => text.trim() !== '').map((text) => `K=${text}.`);

test('lines that are continued are one line, with a blank for each backslash, and comments in between are none of it', () => {
  fc.assert(
    fc.property(fc.array(fc.array(plainLine, { minLength: 1, maxLength: 4 })), fc.constantFrom('', '# comment\\\n', ' ; x\n'), fc.constantFrom('\n', '\r\n'), (statements, comment, end) => {
      const text = statements.map((parts) => `${parts.join(`\\${end}${comment}`)}${end}`).join('');
      expect(logicalLines(text)).toEqual(statements.map((parts) => parts.join(' ')));
      expect(logicalLines(`${logicalLines(text).join('\n')}\n`)).toEqual(logicalLines(text));
    }),
  );
});

const sections = ['Unit', 'Service', 'Install', 'X-Other', 'X-Segue'];
const anyFile = fc.array(fc.oneof(fc.constantFrom(...sections.map((name) => `[${name}]`), 'After=x.service', 'Requires=x.service', 'Description=d', 'User=u', 'ExecStart=/bin/x', 'Priority=9', '\\', 'A=b\\', 'A=b\\\\', '#', 'Type=forking \\', ' [Service] '), fc.string({ unit: 'binary', maxLength: 12 }))).map((lines) => lines.join('\n'));

test('whatever is in the files of a unit, what restores it ends with the words of the restore, and pulls nothing in', () => {
  const ours = restored().split('\n').slice(1);
  fc.assert(
    fc.property(fc.array(anyFile, { maxLength: 3 }), (files) => {
      const lines = restored(...files).split('\n');
      expect(lines.slice(-ours.length)).toEqual(ours);
      const own = lines.slice(1, -ours.length);
      // Read once more, by systemd, each line is still one line.
      expect(logicalLines(`${own.join('\n')}\n`)).toEqual(own);
      let section = '';
      for (const line of own) {
        section = /^\[(.+)\]$/.exec(line.trimEnd())?.[1] ?? section;
        if (section === 'Unit') expect(line).not.toMatch(/^(After|Requires)=/);
      }
    }),
  );
});

test('every line of a [Service] section is kept, in its order', () => {
  fc.assert(
    fc.property(fc.array(plainLine), fc.array(plainLine), (first, second) => {
      const text = restored(`[Unit]\nAfter=x\n[Service]\n${first.join('\n')}\n[Install]\nWantedBy=y\n`, `[Service]\n${second.join('\n')}`);
      expect(text.split('\n').filter((line) => line.startsWith('K='))).toEqual([...first, ...second]);
    }),
  );
});

test('of all priorities that are named the last one counts, and none is above 100', () => {
  const priority = fc.nat(999);
  fc.assert(
    fc.property(fc.array(fc.array(priority), { maxLength: 3 }), fc.constantFrom('', ' '), (files, blank) => {
      const contents = files.map((priorities) => `[Service]\nPriority=1\n${blank}[X-Segue]${blank}\n${priorities.map((each) => `${blank}Priority${blank}=${blank}${each}${blank}\n`).join('')}[Install]\nPriority=2\n`);
      expect(priorityOf(...contents)).toBe(Math.min(100, files.flat().at(-1) ?? 20));
    }),
  );
});

test('whatever the files say, every workload is in one group, and no less critical than what is ordered after it', () => {
  const names = ['a.service', 'b.service', 'c.service', 'd.service'];
  const unit = fc.record({ file: anyFile, after: fc.subarray([...names, 'e.service', '']), serves: fc.boolean() });
  fc.assert(
    fc.property(fc.array(unit, { maxLength: names.length }), (units) => {
      const workloads = units.map(({ file, after, serves }, index) => workload(names[index]!, { ...unitFiles(file), properties: { After: after.join(' ') }, sockets: serves ? [listening(80)] : [] }));
      const groups = byPriority(workloads);
      expect(groups.flatMap((group) => group.workloads.map((each) => each.unit)).toSorted()).toEqual(workloads.map((each) => each.unit));
      expect(groups.map(({ priority }) => priority)).toEqual([...new Set(groups.map(({ priority }) => priority))].toSorted((a, b) => a - b));
      const of = new Map(groups.flatMap(({ priority, workloads: members }) => members.map((each) => [each.unit, priority])));
      for (const { unit: name, properties } of workloads) for (const needed of (properties['After'] ?? '').split(' ')) expect(of.get(needed) ?? 100).toBeGreaterThanOrEqual(of.get(name)!);
    }),
  );
});

test('files without end are read in time', () => {
  for (const text of endless('\\', ' ', '[', '\n', '\\\n', '# ', 'a')) {
    restored(`[Service]\n${text}`);
    priorityOf(`[X-Segue]\nPriority${text}`);
  }
});
