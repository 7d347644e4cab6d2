import { expect, test } from 'vitest';
import { ownSettings } from '../../../src/plan/own-settings.ts';

const settings = (...contents: string[]) => ownSettings({ unitFiles: contents.map((content, index) => ({ path: `/${index}`, content })) });

test('a unit may forbid to be held, and name its priority; the last word counts', () => {
  expect(settings('[Service]\nSnapshot=no\n')).toEqual({ snapshot: true, required: false });
  expect(settings('[X-Segue]\nSnapshot=no\nPriority=70\n')).toEqual({ snapshot: false, required: false, priority: 70 });
  expect(settings('[X-Segue]\nSnapshot=no\n', '[X-Segue]\nSnapshot=yes\nPriority = 200\n')).toEqual({ snapshot: true, required: false, priority: 100 });
  expect(settings('[X-Segue]\nRequired=true\n').required).toBe(true);
});

test('a value that makes no sense is none', () => {
  expect(settings('[X-Segue]\nSnapshot=perhaps\nRequired=perhaps\nPriority=high\n')).toEqual({ snapshot: true, required: false });
});
