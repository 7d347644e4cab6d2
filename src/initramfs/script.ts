import { basename, dirname } from 'node:path';
import { display } from '../tools/command.ts';
import type { Module } from '../tools/modprobe.ts';

/** All that is in an initramfs. */
export interface Contents {
  /** The program that the kernel starts. */
  readonly init: string;
  readonly busybox: string;
  readonly libraries: readonly string[];
  /** The names under which busybox is called. */
  readonly applets: readonly string[];
  /** Loaded in this order: before the root filesystem is looked for, and after it is mounted. */
  readonly rootModules: readonly Module[];
  readonly networkModules: readonly Module[];
  /** The line that boot/initramfs-init reads. */
  readonly root: string;
}

/** What unpacks a module whose name ends so. busybox has no zstd. */
const UNPACKERS: readonly (readonly [suffix: string, command: readonly string[]])[] = [
  ['.xz', ['busybox', 'unxz']], ['.gz', ['busybox', 'gunzip']], ['.zst', ['zstd', '--decompress', '--rm', '--quiet']],
];

/** The program outside busybox that these modules need to be unpacked, if any. */
export const foreignUnpacker = (modules: readonly Module[]): string | undefined => (modules.some(({ path }) => path.endsWith('.zst')) ? 'zstd' : undefined);

const nameInside = (path: string): string => basename(path).replace(/\.(xz|gz|zst)$/, '');
const list = (modules: readonly Module[]): string => modules.map(({ path, options }) => `${nameInside(path)} ${options}`.trimEnd()).join('\n');

/**
 * A shell script that makes `folder` and packs the initramfs into `file`. The kernel unpacks the modules' own compression
 * and the archive's in the pause, so both are left out: copying memory costs less.
 */
export function packScript(contents: Contents, folder: string, file: string): string {
  const command = (...argv: string[]): string => display(argv);
  const modules = [...new Map([...contents.rootModules, ...contents.networkModules].map(({ path }) => [nameInside(path), path])).values()];
  const write = (name: string, text: string): string => `${command('printf', '%s\\n', text)} >${name}`;
  return [
    'umask 077',
    command('rm', '-rf', folder),
    command('mkdir', '-p', `${folder}/files`),
    command('cd', `${folder}/files`),
    'mkdir bin dev modules proc root run segue sys',
    command('cp', '-L', contents.init, 'init'),
    'chmod 0755 init',
    command('cp', '-L', contents.busybox, 'bin/busybox'),
    ...contents.applets.map((applet) => command('ln', '-s', 'busybox', `bin/${applet}`)),
    ...contents.libraries.flatMap((library) => [command('mkdir', '-p', `.${dirname(library)}`), command('cp', '-L', library, `.${library}`)]),
    ...(modules.length === 0 ? [] : [command('cp', ...modules, 'modules/')]),
    ...UNPACKERS.flatMap(([suffix, [program = '', ...options]]) => {
      const packed = modules.filter((path) => path.endsWith(suffix));
      return packed.length === 0 ? [] : [command(program === 'busybox' ? contents.busybox : program, ...options, ...packed.map((path) => `modules/${basename(path)}`))];
    }),
    // What does not start there does not start here.
    command('chroot', '.', '/bin/busybox', 'true'),
    write('segue/root', contents.root),
    // A file without a line is no list with an empty line.
    contents.rootModules.length === 0 ? ': >segue/modules.root' : write('segue/modules.root', list(contents.rootModules)),
    contents.networkModules.length === 0 ? ': >segue/modules.network' : write('segue/modules.network', list(contents.networkModules)),
    `find . | cpio --create --format=newc --owner=0:0 --quiet >${display([file])}`,
    'cd /',
    command('rm', '-r', `${folder}/files`),
    '',
  ].join('\n');
}
