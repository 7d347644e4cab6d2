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

  test('what is read from it is read far ahead, and cached once; nothing else is touched', () => {
    keyInMemory();
    program('losetup', 'exit 1');
    const devices = `for name in other segue-${ID}; do mkdir -p /sys/block/dm-$name/dm /sys/block/dm-$name/queue /sys/block/dm-$name/slaves/loop-$name && echo $name >/sys/block/dm-$name/dm/name && echo 128 >/sys/block/dm-$name/queue/read_ahead_kb; done`;
    const { stdout, exitCode } = machine.sh(`/usr/bin/mount -t tmpfs tmpfs /sys/block && ${devices} && store open "$1" "$2" && cat /sys/block/dm-*/queue/read_ahead_kb`, ID, machine.paths.upgrade);
    expect({ stdout, exitCode }).toEqual({ stdout: '128\n4096\n', exitCode: 0 });
    expect(called().filter((line) => line.startsWith('losetup'))).toEqual([`losetup --direct-io=on /dev/loop-segue-${ID}`]);
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

describe.runIf(isRoot)('the store in memory', () => {
  let machine: PrivateMachine;
  let label: string;
  beforeEach(() => {
    machine = new PrivateMachine();
    machine.useStore();
    label = ID;
    writeFileSync(machine.paths.ramNote, '0x100000000 1073741824 restore\n');
  });
  afterEach(() => {
    machine[Symbol.dispose]();
  });

  /** A /sys/block with devices of these addresses and sizes. */
  function store(deed: string, devices: readonly (readonly [resource: string, size: string])[], { mount = '', mounted = false } = {}): Ended {
    machine.replace('mount', `case "$*" in *--bind*|*sysfs*|*tmpfs*) exec /usr/bin/mount "$@" ;; esac\necho "mount $*" >>/run/called\n${mount}`);
    machine.replace('umount', 'echo "umount $*" >>/run/called');
    machine.replace('modprobe', 'echo "modprobe $*" >>/run/called');
    machine.replace('mountpoint', `exit ${mounted ? 0 : 1}`);
    machine.replace('sleep', '');
    machine.replace('blkid', `echo "blkid $*" >>/run/called\n${label === '' ? 'exit 2' : `echo ${label}`}`);
    const made = devices.map(([resource, size], index) => `mkdir -p /sys/block/pmem${index}/device && echo ${resource} >/sys/block/pmem${index}/device/resource && echo ${size} >/sys/block/pmem${index}/device/size`);
    return machine.sh([`mount -t tmpfs tmpfs /sys/block`, ...made, 'exec store "$1" "$2" "$3"'].join(' && '), deed, ID, machine.paths.upgrade);
  }
  const called = (): string[] => (existsSync(join(machine.run, 'called')) ? readFileSync(join(machine.run, 'called'), 'utf8').trim().split('\n') : []);
  const HERE = ['0x100000000', '1073741824'] as const;
  const SILENCE = { stdout: '', stderr: '', exitCode: 0 };

  test('its device is found by its address, and mounted without a page cache', () => {
    expect(store('open', [['0x200000000', '1073741824'], HERE])).toEqual(SILENCE);
    expect(called()).toEqual(['modprobe --quiet --all nd_e820 nd_pmem ext4', 'blkid --probe --output value --match-tag LABEL /dev/pmem1', `mount -t ext4 -o dax=always,nosuid,nodev,noatime /dev/pmem1 ${machine.paths.handover}`]);
  });

  test('a kernel without DAX mounts it as well', () => {
    expect(store('open', [HERE], { mount: 'case "$*" in *dax*) exit 32 ;; esac' })).toEqual(SILENCE);
    expect(called().at(-1)).toBe(`mount -t ext4 -o nosuid,nodev,noatime /dev/pmem0 ${machine.paths.handover}`);
  });

  test('one that is open is left as it is', () => {
    expect(store('open', [HERE], { mounted: true })).toEqual(SILENCE);
    expect(called()).toEqual([]);
  });

  test('a kernel that does not have the region, or only a part of it, says so', () => {
    expect(store('open', [['0x100200000', '1073741824'], ['0x100000000', '1071644672']])).toEqual({ stdout: 'its region of the memory is not there\n', stderr: '', exitCode: 1 });
    expect(store('open', [])).toMatchObject({ exitCode: 1 });
  });

  test('what did not outlive the machine, or is of another upgrade, is not mounted', () => {
    for (label of ['', '20200101-000000']) expect(store('open', [HERE])).toEqual({ stdout: 'it is gone with the memory of the machine\n', stderr: '', exitCode: 1 });
    expect(called().some((line) => line.startsWith('mount '))).toBe(false);
  });

  test('damage is told', () => {
    expect(store('open', [HERE], { mount: 'exit 32' })).toEqual({ stdout: 'what is in memory is damaged\n', stderr: '', exitCode: 1 });
    writeFileSync(machine.paths.ramNote, '');
    expect(store('look', [HERE])).toEqual({ stdout: 'what says where it is in memory is damaged\n', stderr: '', exitCode: 1 });
  });

  test('the generator has a look without writing, and leaves what others have mounted', () => {
    expect(store('look', [HERE])).toEqual(SILENCE);
    expect(called().at(-1)).toBe(`mount -t ext4 -o dax=always,ro,noload,nosuid,nodev /dev/pmem0 ${machine.paths.handover}`);
    expect(store('leave', [HERE])).toEqual(SILENCE);
    expect(called().some((line) => line.startsWith('umount'))).toBe(false);
  });

  test('what the generator has mounted it takes away again', () => {
    const { handover } = machine.paths;
    machine.replace('umount', 'echo "umount $*" >>/run/called');
    expect(machine.sh('/usr/bin/mount -t tmpfs -o ro tmpfs "$4" && exec store "$1" "$2" "$3"', 'leave', ID, machine.paths.upgrade, handover)).toEqual(SILENCE);
    expect(called()).toEqual([`umount ${handover}`]);
  });
});
