import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { doubt, DOUBTS, doubtWords } from '../../../src/model/doubt.ts';

test('the table in the docs has every doubt, and no other', () => {
  const text = readFileSync(new URL('../../../docs/snapshots.md', import.meta.url), 'utf8');
  const table = text.slice(text.indexOf('## The doubts'));
  const rows = Array.from(table.matchAll(/^\| `([\w-]+)` \|/gm), ([, kind]) => kind);
  expect(rows.toSorted()).toEqual(Object.keys(DOUBTS).toSorted());
});

test('a doubt is told with what it is about', () => {
  expect(doubtWords(doubt('tasks'))).toBe(DOUBTS.tasks);
  expect(doubtWords(doubt('file', '/etc/hosts'))).toBe(`${DOUBTS.file}: /etc/hosts`);
});
