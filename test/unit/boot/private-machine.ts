import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { handoverPaths, type HandoverPaths } from '../../../src/model/handover.ts';
import { readJournal, type JournalEvent } from '../../../src/store/journal.ts';

const BOOT = join(import.meta.dirname, '../../../boot');
export const ID = '20260101-100000';

export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number | null;
}

/**
 * What the scripts of boot/ see of a machine that has just jumped: a kernel command line, an empty /run, a network and
 * a host name of its own, and a store. Needs root; nothing of it is seen by the machine that the tests run on.
 */
export class PrivateMachine implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'segue-boot-'));
  readonly store = join(this.#folder, 'store');
  /** The scripts; they find each other here instead of in /usr/lib/segue. */
  readonly lib = join(this.#folder, 'lib');
  /** Programs here come before those of the system. */
  readonly bin = join(this.#folder, 'bin');
  /** Becomes /run. */
  readonly run = join(this.#folder, 'run');
  /** Becomes a folder that systemd.generator(7) calls early. */
  readonly early = join(this.#folder, 'early');
  /** As above, called with the others' units. */
  readonly normal = join(this.#folder, 'normal');
  /** Becomes /etc/segue. */
  readonly etc = join(this.#folder, 'etc');
  /** Becomes /usr/lib/systemd/system-generators. */
  readonly generators = join(this.#folder, 'generators');
  /** Becomes the part of /dev that is the container's. */
  readonly dev = join(this.#folder, 'dev');
  readonly paths: HandoverPaths = handoverPaths(this.store, ID);
  commandLine = `root=/dev/vda ro segue.upgrade=${ID} segue.store=${this.store}`;

  constructor() {
    for (const folder of [this.lib, this.bin, join(this.run, 'segue'), this.early, this.normal, this.etc, this.generators, this.dev, this.paths.handover]) mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(BOOT)) {
      const script = readFileSync(join(BOOT, name), 'utf8').replaceAll('/usr/lib/segue', this.lib).replaceAll('/etc/segue', this.etc).replaceAll(/\/dev\/(?=segue|mapper)/g, `${this.dev}/`).replaceAll('/usr/lib/systemd/system-generators', this.generators).replaceAll('/usr/lib/systemd/systemd-sysctl', `${this.bin}/systemd-sysctl`);
      writeFileSync(join(this.lib, name), script, { mode: 0o755 });
    }
    // What these would do they would do to the machine that the tests run on.
    for (const name of ['criu', 'kexec', 'modprobe', 'systemd-sysctl', 'systemd-tmpfiles']) this.replace(name, `echo "${name} $*" >>/run/called`);
    // The hand-over is a plain folder here, as if its store were open.
    renameSync(join(this.lib, 'store'), join(this.lib, 'store.real'));
    writeFileSync(join(this.lib, 'store'), '#!/bin/sh\n', { mode: 0o755 });
  }

  /** The real script for the store. */
  useStore(): void {
    copyFileSync(join(this.lib, 'store.real'), join(this.lib, 'store'));
  }

  /** Has the store stay closed. */
  refuseStore(why: string): void {
    writeFileSync(join(this.lib, 'store'), `#!/bin/sh\necho "${why}"\nexit 1\n`);
  }

  /** A file of the hand-over. */
  write(path: string, content: string): void {
    const file = join(this.paths.handover, path);
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, content);
  }

  /** Puts a program in the place of the system's. */
  replace(program: string, script: string): void {
    writeFileSync(join(this.bin, program), `#!/bin/sh\n${script}\n`);
    chmodSync(join(this.bin, program), 0o755);
  }

  /** Runs a shell command with the scripts in PATH. */
  sh(command: string, ...args: string[]): Ended {
    writeFileSync(join(this.#folder, 'cmdline'), `${this.commandLine}\n`);
    const enter = `mount --bind "${this.#folder}/cmdline" /proc/cmdline && mount --bind "${this.run}" /run && mount -t sysfs sysfs /sys && ip link set lo up && ${command}`;
    const { stdout, stderr, status } = spawnSync('unshare', ['--mount', '--net', '--uts', 'sh', '-c', enter, 'sh', ...args], {
      encoding: 'utf8',
      env: { PATH: `${this.bin}:${this.lib}:/usr/sbin:/usr/bin:/sbin:/bin`, LC_ALL: 'C.UTF-8' },
    });
    return { stdout, stderr, exitCode: status };
  }

  journal(): readonly JournalEvent[] {
    return readJournal(this.store, ID) ?? [];
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }
}

export const isRoot = process.getuid?.() === 0;
