import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeLinkRemaps } from '../../../src/park/link-remaps.ts';

let folder: string;
let task: ChildProcess | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'segue links '));
});
afterEach(() => {
  task?.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

/** A process that has these files open, which are then removed. */
async function holding(...names: readonly string[]): Promise<number> {
  task = spawn('perl', ['-e', 'for (@ARGV) { open(my $f, "<", $_) or die; push @open, $f } print "ready\\n"; close STDOUT; sleep', ...names.map((name) => join(folder, name))], { stdio: ['ignore', 'pipe', 'inherit'] });
  if (task.stdout !== null) await once(task.stdout, 'data');
  for (const name of names) rmSync(join(folder, name));
  return task.pid ?? 0;
}

const link = (from: string, to: string): void => { linkSync(join(folder, from), join(folder, to)); };

test('names that CRIU gave to files of a task are removed, and no others', async () => {
  mkdirSync(join(folder, 'a b'));
  for (const name of ['a b/one', 'two', 'theirs']) writeFileSync(join(folder, name), name);
  link('a b/one', 'a b/other name');
  link('a b/one', 'a b/link_remap.22');
  link('two', 'link_remap.3');
  link('theirs', 'link_remap.4');
  const pid = await holding('a b/one', 'two');

  removeLinkRemaps([pid, 2 ** 22 + 1]);

  expect(readdirSync(folder).sort()).toEqual(['a b', 'link_remap.4', 'theirs']);
  expect(readdirSync(join(folder, 'a b'))).toEqual(['other name']);
});
