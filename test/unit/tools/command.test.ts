import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { display, run, runOk, traceCommands } from '../../../src/tools/command.ts';
import { archive } from '../../../src/tools/tar.ts';

test('plain commands stay readable', () => {
  expect(display(['nft', '-f', '-'])).toBe('nft -f -');
  expect(display(['kexec', '--initrd=/boot/x', '--command-line=ro quiet'])).toBe("kexec --initrd=/boot/x '--command-line=ro quiet'");
});

test('a command that is pasted into a shell has the words that it had', () => {
  const word = fc.oneof(fc.constantFrom('', "'", '"', '$HOME', '`id`', 'a\nb', '*', '~', '#', '\\', 'ä', "it's"), fc.string({ unit: 'binary' })).filter((text) => !text.includes('\0'));
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), (words) => {
      const printed = execFileSync('sh', ['-c', `printf '%s\\0' ${display(words)}`], { encoding: 'utf8' });
      expect(printed.split('\0').slice(0, -1)).toEqual(words);
    }),
    { numRuns: 40 },
  );
});

test('a program gives its output, its errors and its exit code', async () => {
  expect(await run(['sh', '-c', 'echo out; echo err >&2; exit 3'])).toEqual({ stdout: 'out\n', stderr: 'err\n', exitCode: 3 });
});

test('a program reads its input, and without one an empty one', async () => {
  expect((await run(['cat'], { input: 'a\nb' })).stdout).toBe('a\nb');
  expect(await run(['cat'])).toEqual({ stdout: '', stderr: '', exitCode: 0 });
});

test('a program that is not there ends with 127', async () => {
  expect((await run(['segue-no-such-program'])).exitCode).toBe(127);
});

test('a program that cannot be run, or is killed, ends with 126 and says why', async () => {
  expect(await run(['/etc/passwd'])).toMatchObject({ exitCode: 126, stderr: expect.stringContaining('EACCES') as string });
  expect(await run(['true', 'x'.repeat(2 ** 18)])).toMatchObject({ exitCode: 126, stderr: expect.stringContaining('E2BIG') as string });
  expect(await run(['sh', '-c', 'echo began >&2; kill -KILL $$'])).toEqual({ stdout: '', stderr: 'began\nsh was killed by SIGKILL', exitCode: 126 });
});

test('a program that does not come to an end is killed, and it is said when', async () => {
  expect(await run(['sleep', '60'], { limitSeconds: 0.1 })).toEqual({ stdout: '', stderr: 'sleep was killed by SIGKILL, as it had not come to an end after 0.1 s', exitCode: 126 });
});

test('nor is whoever keeps its output open waited for', async () => {
  const code = `import { run } from '${new URL('../../../src/tools/command.ts', import.meta.url).pathname}'; console.log(JSON.stringify(await run(['sh', '-c', 'sleep 60 & wait'], { limitSeconds: 0.1 })));`;
  const stdout = execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', code], { encoding: 'utf8', timeout: 30_000 });
  expect(JSON.parse(stdout)).toMatchObject({ exitCode: 126, stderr: expect.stringContaining('not come to an end after 0.1 s') as string });
});

test('that a program has ended is heard before its output is all there, also of one that is killed', async () => {
  for (const how of ['exit 3', 'kill -KILL $$']) {
    const heard: string[] = [];
    await run(['sh', '-c', `echo began; ${how}`], { ended: () => { heard.push('ended'); } }).then(() => { heard.push('all'); });
    expect(heard).toEqual(['ended', 'all']);
  }
});

test('a program that does not read its input gives its own answer', async () => {
  expect(await run(['sh', '-c', 'exec <&-; exit 7'], { input: 'x'.repeat(2 ** 20) })).toMatchObject({ exitCode: 7 });
});

test('a character that comes in two parts is one', async () => {
  expect(await run(['sh', '-c', "printf '\\342\\206'; sleep 0.1; printf '\\222'"])).toMatchObject({ stdout: '→' });
});

test('a program runs in a session of its own and in plain English', async () => {
  const { stdout } = await run(['sh', '-c', 'cut -d" " -f1,6 /proc/$$/stat; echo $LC_ALL']);
  const [ids, locale] = stdout.trim().split('\n');
  const [pid, session] = (ids ?? '').split(' ');
  expect(session).toBe(pid);
  expect(locale).toBe('C.UTF-8');
});

test('a program that must succeed and does not says which command and the end of what it said', async () => {
  const script = 'for i in $(seq 30); do echo "line $i" >&2; done; exit 4';
  const result = await runOk(['sh', '-c', script]);
  const output = Array.from({ length: 12 }, (_, index) => `line ${index + 19}`).join('\n');
  expect(result).toEqual({ ok: false, failure: { reason: 'command-failed', command: `sh -c '${script}'`, exitCode: 4, output } });
});

test('a program that fails without errors is quoted from its output', async () => {
  expect(await runOk(['sh', '-c', 'echo why; false'])).toMatchObject({ failure: { output: 'why' } });
});

test('every command is traced before it runs', async () => {
  const lines: string[] = [];
  traceCommands((line) => lines.push(line));
  try {
    await run(['echo', 'a b']);
  } finally {
    traceCommands(() => undefined);
  }
  expect(lines).toEqual(["echo 'a b'"]);
});

test('an archive leaves out what it is told to, by pattern, and at the top only', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'segue-tar-'));
  try {
    const from = join(folder, 'from');
    for (const path of ['x/y', 'sub/x', 'motd.d', 'a', 'sub/motd.d']) {
      mkdirSync(join(from, path, '..'), { recursive: true });
      writeFileSync(join(from, path), '');
    }
    expect(await run(archive(from, join(folder, 'a.tar'), ['x', 'motd*']))).toMatchObject({ exitCode: 0 });
    const listed = await run(['tar', '--list', '--file', join(folder, 'a.tar')]);
    expect(listed.stdout.trim().split('\n').sort()).toEqual(['./', './a', './sub/', './sub/motd.d', './sub/x']);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
