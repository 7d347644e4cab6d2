import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Program } from './program.ts';

const root = process.getuid?.() === 0;
const NOBODY = 65_534;

let segue: Program;
beforeAll(async () => {
  segue = await Program.build();
});
afterAll(async () => {
  await segue[Symbol.asyncDispose]();
});

test('segue --help lists what people use', () => {
  const { stdout, stderr, exitCode } = segue.run(['--help']);
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  expect(stdout).toMatchSnapshot();
  expect(stdout).not.toContain('settle');
});

test.each(['check', 'setup', 'upgrade', 'status', 'history', 'show', 'settle'])('segue %s --help explains it', (command) => {
  const { stdout, stderr, exitCode } = segue.run([command, '--help']);
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  expect(stdout).toMatchSnapshot();
});

test('segue --version is that of the package', () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  expect(segue.run(['--version'])).toEqual({ stdout: `${version}\n`, stderr: '', exitCode: 0 });
});

test.each([
  ['an unknown command', ['upgarde']],
  ['an unknown flag', ['check', '--jsn']],
  ['a flag of another command', ['history', '--yes']],
  ['an upgrade to nothing', ['upgrade']],
  ['a flag without its value', ['upgrade', '--to']],
  ['a flag given twice', ['upgrade', '--to', 'newest', '--to', '6.12']],
  ['an upgrade to show without its id', ['show']],
  ['an argument too many', ['show', 'a', 'b']],
  ['a store that is no absolute path', ['history', '--store', 'images']],
  ['a store that would not do on a kernel command line', ['history', '--store', '/var/my images']],
])('%s is a wrong usage, said on the standard error', (_, args) => {
  const { stdout, stderr, exitCode } = segue.run(args);
  expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 2 });
  expect(stderr).toMatch(/\S/);
  expect(stderr).not.toMatch(/^\s+at /m);
});

test('a mistyped command is answered with the one that was meant', () => {
  expect(segue.run(['upgarde']).stderr).toContain('upgrade');
});

test.runIf(root).each([['check'], ['setup'], ['setup', '--dry-run'], ['upgrade', '--to', 'newest', '--dry-run'], ['settle']])(
  'without root, segue %s %s %s %s says that it needs root',
  (...args) => {
    const { stdout, stderr, exitCode } = segue.run(args, { uid: NOBODY });
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 4 });
    expect(stderr).toBe('error: this needs root\n -> only root can stop, image and restore the tasks of others\nhint: run it with sudo\n');
  },
);

test.runIf(root)('an upgrade to a kernel that is not installed ends before anything is touched', () => {
  const { stdout, stderr, exitCode } = segue.run(['upgrade', '--to', '0.0', '--yes']);
  expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 2 });
  expect(stderr).toContain('error: no installed kernel is called 0.0\n');
});

test.runIf(root)('there is nothing to settle on a kernel that no upgrade has started', () => {
  const { stderr, exitCode } = segue.run(['settle']);
  expect(stderr).toContain('error: there is nothing to settle');
  expect(exitCode).toBe(3);
});
