import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseModules } from '../../../src/tools/modprobe.ts';
import { fixture } from '../../fixtures/fixture.ts';
import { damaged, endless } from '../damaged.ts';

const full = (text: string): string[] => text.split('\n').map((line) => line.trim()).filter(Boolean);

test('whatever modprobe prints, no line of it is passed over', () => {
  const releases = ['6.12', '7.3'];
  fc.assert(
    fc.property(damaged(...releases.map((release) => fixture(`modprobe/${release}.stdout.txt`))), damaged(...releases.map((release) => fixture(`modprobe/${release}.stderr.txt`))), (stdout, stderr) => {
      const { inserts, unknown, strange } = parseModules(stdout, stderr);
      const printed = full(stdout);
      for (const line of printed) {
        const path = /^insmod (\S+)/.exec(line)?.[1];
        if (path !== undefined) expect(inserts.filter((module) => module.path === path)).toHaveLength(1);
        else if (!line.startsWith('builtin ')) expect(strange).toContain(line);
      }
      expect(inserts.every(({ path }) => printed.some((line) => line.startsWith(`insmod ${path}`)))).toBe(true);
      expect(unknown.length + strange.length).toBeGreaterThanOrEqual(full(stderr).length);
    }),
  );
});

test('a line without end is read in time', () => {
  for (const text of endless('a', ' ', 'Module ', 'insmod ')) parseModules(`insmod ${text}`, `modprobe: Module ${text}`);
});
