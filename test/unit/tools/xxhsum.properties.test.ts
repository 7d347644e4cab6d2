import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { run } from '../../../src/tools/command.ts';
import { checksums, fileOf } from '../../../src/tools/xxhsum.ts';
import { endless } from '../damaged.ts';

const SUM = 'a96faf705af16834e6c632b61e964e1f';
const name = fc.oneof(fc.constantFrom('system-a\\x2db.slice', '\\', 'a  b', ' ', '\\n', 'a\nb'), fc.string({ unit: 'binary', minLength: 1, maxLength: 20 })).filter((text) => !/[\0/]/.test(text) && text !== '.' && text !== '..');

test('the name of a file is found in its line, escaped as newer versions do it or not', () => {
  fc.assert(
    fc.property(name, (file) => {
      const escaped = file.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
      expect(fileOf(escaped === file ? `${SUM}  ${file}` : `\\${SUM}  ${escaped}`)).toBe(file);
      expect(fileOf(`${SUM}  ${file}`)).toBe(file);
    }),
  );
});

test('a line without end is read in time', () => {
  for (const text of endless(' ', 'a', '\\', '\\n')) fileOf(text);
});

const installed = (await run(['xxhsum', '--version'])).exitCode === 0;

test.runIf(installed)('every file is summed once, whatever it is called, and xxhsum takes the sums again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'segue sums '));
  try {
    await fc.assert(
      // Debian 12 has a version that does not escape the end of a line; nothing in a hand-over has one in its name.
      fc.asyncProperty(fc.uniqueArray(name.filter((text) => !/[\n\r]/.test(text) && Buffer.byteLength(text) < 100), { maxLength: 6 }), async (names) => {
        const files = names.map((each) => `./${each}`);
        for (const file of files) writeFileSync(join(folder, file), file);
        const summed = await checksums(folder, files);
        expect(summed.ok && summed.value.map(({ file }) => file)).toEqual(files);
        if (!summed.ok || files.length === 0) return;
        const check = await run(['sh', '-c', 'cd "$0" && xxhsum --check --quiet --strict', folder], { input: summed.value.map(({ line }) => `${line}\n`).join('') });
        expect(check).toMatchObject({ exitCode: 0 });
      }),
      { numRuns: 20 },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test.runIf(installed)('without files there are no sums', async () => {
  expect(await checksums('/', [])).toEqual({ ok: true, value: [] });
});
