import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { APPLETS } from '../../../src/initramfs/choose.ts';
import { packScript, type Contents } from '../../../src/initramfs/script.ts';

let folder: string;
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'segue-pack-')); });
afterEach(() => { rmSync(folder, { recursive: true }); });

/** Runs a script of packScript(); chroot(1) only says that it was called, as the parts do not run. */
function run(script: string): void {
  mkdirSync(join(folder, 'stubs'));
  writeFileSync(join(folder, 'stubs/chroot'), `#!/bin/sh\necho "$PWD $*" >${folder}/tried\n`, { mode: 0o755 });
  execFileSync('sh', ['-eu'], { input: script, stdio: 'pipe', env: { PATH: `${folder}/stubs:${process.env['PATH'] ?? ''}` } });
}

/** Contents whose parts are made up, but for a script in busybox's place that can do what packing asks of it. */
function contents(): Contents {
  mkdirSync(join(folder, 'lib'));
  const file = (name: string, content: string | Buffer, mode = 0o644): string => {
    writeFileSync(join(folder, name), content, { mode });
    return join(folder, name);
  };
  const network = { path: file('net+1.ko.gz', gzipSync('network')), options: '' };
  return {
    init: file('initramfs-init', '#!/bin/sh\n'),
    busybox: file('busybox', '#!/bin/sh\nexec "$@"\n', 0o755),
    libraries: [file('lib/libx.so.1', 'library')],
    applets: APPLETS,
    rootModules: [{ path: file('disk.ko', 'disk'), options: 'depth=2 name=a,b' }, { path: file('fs.ko', 'fs'), options: '' }],
    networkModules: [network],
    root: '1234-ABCD ext4 rw /sbin/init size=10%',
  };
}

const pack = (made: Contents): string => packScript(made, join(folder, 'work'), join(folder, 'work/initramfs.img'));

test('what is packed is a newc archive of root, with modules as the kernel takes them', () => {
  run(pack(contents()));
  const image = join(folder, 'work/initramfs.img');
  expect(statSync(image).mode & 0o777).toBe(0o600);
  expect(existsSync(join(folder, 'work/files'))).toBe(false);
  expect(readFileSync(join(folder, 'tried'), 'utf8')).toBe(`${folder}/work/files . /bin/busybox true\n`);

  const out = join(folder, 'out');
  mkdirSync(out);
  execFileSync('cpio', ['--extract', '--quiet'], { cwd: out, input: readFileSync(image) });
  const read = (name: string): string => readFileSync(join(out, name), 'utf8');
  expect(read('segue/modules.root')).toBe('disk.ko depth=2 name=a,b\nfs.ko\n');
  expect(read('segue/modules.network')).toBe('net+1.ko\n');
  expect(read('segue/root')).toBe('1234-ABCD ext4 rw /sbin/init size=10%\n');
  expect(read('modules/net+1.ko')).toBe('network');
  expect(read('modules/disk.ko')).toBe('disk');
  expect(read(`.${folder}/lib/libx.so.1`)).toBe('library');
  expect(statSync(join(out, 'init')).mode & 0o777).toBe(0o755);
  for (const applet of APPLETS) expect(statSync(join(out, 'bin', applet)).isFile()).toBe(true);
  expect(readFileSync(image, 'latin1').slice(0, 6)).toBe('070701');
});

test('a kernel with all built in needs no module', () => {
  run(pack({ ...contents(), rootModules: [], networkModules: [] }));
  expect(execFileSync('cpio', ['--list', '--quiet'], { input: readFileSync(join(folder, 'work/initramfs.img')), encoding: 'utf8' })).toContain('segue/modules.root\n');
});

test('a part that is missing stops it', () => {
  const made = { ...contents(), busybox: join(folder, 'nowhere') };
  expect(() => { run(pack(made)); }).toThrow(/nowhere/);
});

test('every program that the init script calls is there', () => {
  const builtIn = ['.', 'echo', 'exec', 'exit', 'export', 'read', 'load', 'say', 'give_up', 'if', 'then', 'fi', 'for', 'do', 'done', 'while', 'until', '[', '}', '{', 'umask'];
  const script = readFileSync('boot/initramfs-init', 'utf8').replaceAll(/^\s*#.*$/gm, '').replaceAll(/\$\(\(.*\)\)/g, '0').replaceAll(/'[^']*'|"[^"]*"/g, 'x');
  const called = script.split(/\n|;|&&|\|\||\$\(|\bdo\b|\bif\b|\bthen\b|\buntil\b|\bwhile\b/).map((part) => part.trim().replace(/^(\w+=\S*\s*)+/, '').replace(/^exec (?=\w)/, '')).map((part) => /^[\w.[]+/.exec(part)?.[0] ?? '');
  for (const program of called.filter((name) => /^[a-z]/.test(name) && !builtIn.includes(name))) expect(APPLETS).toContain(program);
});
