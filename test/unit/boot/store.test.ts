import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openCommand } from '../../../src/tools/vault.ts';
import { ID, isRoot, PrivateMachine, type Ended } from './private-machine.ts';

/** Programs that touch the kernel tell how they were called. */
const PROGRAMS: Readonly<Record<string, string>> = {
  modprobe: '',
  cryptsetup: '',
  umount: '',
  mountpoint: 'exit 1',
  mount: '',
  'systemd-creds': 'for last; do :; done; echo unsealed >"$last"',
};

describe.runIf(isRoot)('the container', () => {
  let machine: PrivateMachine;
  let key: string;
  beforeEach(() => {
    machine = new PrivateMachine();
    machine.useStore();
    key = join(machine.dev, `segue/key-${ID}`);
    for (const [name, rest] of Object.entries(PROGRAMS)) program(name, rest);
  });
  afterEach(() => {
    machine[Symbol.dispose]();
  });

  const program = (name: string, rest: string): void => { machine.replace(name, `[ "$1" = --bind ] || [ "$3" = sysfs ] || [ $# = 0 ] || echo "${name} $*" >>/run/called\n${name === 'mount' ? `case "$*" in --bind*|*sysfs*) exec /usr/bin/mount "$@" ;; esac\n` : ''}${rest}`); };
  const keyInMemory = (): void => {
    mkdirSync(join(machine.dev, 'segue'), { mode: 0o700 });
    writeFileSync(key, 'a key');
  };
  const store = (deed: string): Ended => machine.sh('exec store "$1" "$2" "$3"', deed, ID, machine.paths.upgrade);
  const called = (): string[] => (existsSync(join(machine.run, 'called')) ? readFileSync(join(machine.run, 'called'), 'utf8').trim().split('\n') : []);
  const mapper = (name: string): string => join(machine.dev, 'mapper', name);

  test('with the key in memory it is opened as it was made, and mounted', () => {
    keyInMemory();
    expect(store('open')).toEqual({ stdout: '', stderr: '', exitCode: 0 });
    const opened = called().find((line) => line.startsWith('cryptsetup'));
    const { vault: made } = machine.paths;
    expect(opened?.split(' ').sort()).toEqual(openCommand({ ...made, key }).sort());
    expect(called().at(-1)).toBe(`mount -t ext4 -o nosuid,nodev,noatime,noinit_itable,discard ${mapper(`segue-${ID}`)} ${machine.paths.handover}`);
    expect(called().some((line) => line.startsWith('systemd-creds'))).toBe(false);
  });

  test('one that is open is left as it is', () => {
    program('mountpoint', '');
    expect(store('open')).toEqual({ stdout: '', stderr: '', exitCode: 0 });
    expect(called().filter((line) => !line.startsWith('mountpoint'))).toEqual([]);
  });

  test('without a key anywhere it stays closed, and says so', () => {
    expect(store('open')).toEqual({ stdout: 'its key is gone with the memory of the machine\n', stderr: '', exitCode: 1 });
    expect(called().some((line) => line.startsWith('cryptsetup'))).toBe(false);
  });

  test('the sealed key is unsealed into memory, for root only', () => {
    writeFileSync(`${machine.paths.upgrade}/key`, 'sealed');
    expect(store('open').exitCode).toBe(0);
    expect(called()).toContain(`systemd-creds decrypt --name=segue ${machine.paths.upgrade}/key ${key}`);
    expect(statSync(join(machine.dev, 'segue')).mode & 0o777).toBe(0o700);
    expect(statSync(key).mode & 0o777).toBe(0o600);
  });

  test('a sealed key of another machine does not open it', () => {
    writeFileSync(`${machine.paths.upgrade}/key`, 'sealed');
    program('systemd-creds', 'echo half >"$4"; exit 1');
    expect(store('open')).toEqual({ stdout: 'its key cannot be unsealed on this machine\n', stderr: '', exitCode: 1 });
    expect(existsSync(key)).toBe(false);
  });

  test('a container that cannot be attached, or that its key does not fit, is told', () => {
    keyInMemory();
    program('cryptsetup', 'echo "Device or resource busy" >&2; exit 5');
    expect(store('open')).toEqual({ stdout: 'its device cannot be made\n', stderr: '', exitCode: 1 });
    program('cryptsetup', '');
    program('mount', 'case "$*" in *ext4*) exit 32 ;; esac');
    expect(store('open')).toEqual({ stdout: 'it is damaged, or the key is not its own\n', stderr: '', exitCode: 1 });
  });

  test('the generator has a look without writing, and leaves nothing', () => {
    keyInMemory();
    expect(store('look').exitCode).toBe(0);
    expect(called().find((line) => line.startsWith('cryptsetup'))).toContain('--readonly');
    expect(called().at(-1)).toBe(`mount -t ext4 -o ro,noload,nosuid,nodev ${mapper(`segue-${ID}-look`)} ${machine.paths.handover}`);
    program('mountpoint', '');
    mkdirSync(join(machine.dev, 'mapper'));
    writeFileSync(mapper(`segue-${ID}-look`), '');
    expect(store('leave').exitCode).toBe(0);
    expect(called().slice(-2)).toEqual([`umount ${machine.paths.handover}`, `cryptsetup close segue-${ID}-look`]);
  });

  test('where nobody has looked there is nothing to leave', () => {
    expect(store('leave')).toEqual({ stdout: '', stderr: '', exitCode: 0 });
    expect(called()).toEqual([]);
  });
});
