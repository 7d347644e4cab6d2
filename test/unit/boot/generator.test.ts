import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isRoot, PrivateMachine, type Ended } from './private-machine.ts';

describe.runIf(isRoot)('segue-generator', () => {
  let machine: PrivateMachine;
  beforeEach(() => {
    machine = new PrivateMachine();
    machine.write('units/a.service.d/zz-segue.conf', '[Service]\n');
    machine.write('units/b.service.d/zz-segue.conf', '[Service]\n');
    mkdirSync(`${machine.paths.units}/multi-user.target.wants`);
    symlinkSync('/usr/lib/systemd/system/a.service', `${machine.paths.units}/multi-user.target.wants/a.service`);
  });
  afterEach(() => {
    machine[Symbol.dispose]();
  });

  const generate = (): Ended => machine.sh('exec segue-generator /nowhere/normal "$1" /nowhere/late', machine.early);
  const SILENCE = { stdout: '', stderr: '', exitCode: 0 };

  test('after a jump the prepared units are in place, links as links', () => {
    chmodSync(`${machine.paths.units}/a.service.d/zz-segue.conf`, 0o600);
    expect(generate()).toEqual(SILENCE);
    expect(statSync(join(machine.early, 'a.service.d/zz-segue.conf')).mode & 0o777).toBe(0o644);
    expect(readdirSync(machine.early).sort()).toEqual(['a.service.d', 'b.service.d', 'multi-user.target.wants', 'segue-state.service.requires']);
    expect(readFileSync(join(machine.early, 'a.service.d/zz-segue.conf'), 'utf8')).toBe('[Service]\n');
    expect(readlinkSync(join(machine.early, 'multi-user.target.wants/a.service'))).toBe('/usr/lib/systemd/system/a.service');
  });

  test('at every reload before the upgrade is settled they are put there again', () => {
    expect(generate()).toEqual(SILENCE);
    expect(generate()).toEqual(SILENCE);
    expect(readdirSync(machine.early)).toHaveLength(4);
  });

  test.each([
    ['a boot without an upgrade', 'root=/dev/vda ro quiet'],
    ['an id that would lead out of the store', 'segue.upgrade=../../etc'],
    ['an empty id', 'segue.upgrade='],
    ['a word that only ends like it', 'xsegue.upgrade=20260101-100000'],
    ['an upgrade whose hand-over is not there', 'segue.upgrade=20200101-000000'],
  ])('after %s there is nothing', (_, commandLine) => {
    machine.commandLine = `${commandLine} segue.store=${machine.store}`;
    expect(generate()).toEqual(SILENCE);
    expect(readdirSync(machine.early)).toEqual([]);
  });

  test('once the upgrade is settled there is nothing any more', () => {
    writeFileSync(join(machine.run, 'segue/settled'), '');
    expect(generate()).toEqual(SILENCE);
    expect(readdirSync(machine.early)).toEqual([]);
  });

  const waits = (): boolean => existsSync(join(machine.early, 'segue-state.service.requires'));

  test('the state waits for what a boot mounts, unless that was done before', () => {
    expect(generate()).toEqual(SILENCE);
    expect(waits()).toBe(true);
    machine.sh('rm -r "$1"/*; : >/run/segue/mounted', machine.early);
    expect(generate()).toEqual(SILENCE);
    expect(waits()).toBe(false);
  });

  test('then the generators that boot/early has put out of the way are run by this one', () => {
    for (const [name, mode, script] of [['fstab', 0o755, 'echo "$@" >/run/fstab; umask >>/run/fstab'], ['failing', 0o755, 'exit 1'], ['unused', 0o644, 'exit 1']] as const) writeFileSync(join(machine.generators, name), `#!/bin/sh\n${script}\n`, { mode });
    mkdirSync(join(machine.run, 'systemd/system-generators'), { recursive: true });
    for (const name of ['failing', 'fstab', 'unused', 'gone']) writeFileSync(join(machine.run, 'systemd/system-generators', name), '');
    expect(generate()).toEqual(SILENCE);
    expect(readFileSync(join(machine.run, 'fstab'), 'utf8')).toBe(`/nowhere/normal ${machine.early} /nowhere/late\n0022\n`);
    machine.sh('rm -r /run/fstab "$1"/*; : >/run/segue/mounted', machine.early);
    expect(generate()).toEqual(SILENCE);
    expect(existsSync(join(machine.run, 'fstab'))).toBe(false);
  });

  test('targets that name nearly all units wait for the boot, like the generators', () => {
    const held = (): string[] => readdirSync(machine.early).filter((name) => name.endsWith('.target'));
    mkdirSync(join(machine.run, 'systemd/system-generators'), { recursive: true });
    writeFileSync(join(machine.run, 'systemd/system-generators/fstab'), '');
    expect(generate()).toEqual(SILENCE);
    expect(held()).toEqual([]);
    machine.sh('rm -r "$1"/*; : >/run/segue/mounted', machine.early);
    expect(generate()).toEqual(SILENCE);
    expect(held().sort()).toEqual(['local-fs.target', 'sockets.target', 'sysinit.target']);
    expect(readlinkSync(join(machine.early, 'sysinit.target'))).toBe('/dev/null');
    machine.sh('rm -r "$1"/*; unmask', machine.early);
    expect(generate()).toEqual(SILENCE);
    expect(held()).toEqual([]);
  });

  test('it waits for what boot/early is about to do', () => {
    const early = 'exec 4>/run/segue/early.lock; flock 4; { read line <"$2/go"; : >/run/segue/mounted; } &';
    const { exitCode } = machine.sh(`mkfifo "$2/go"; (${early}) ; (sleep 0.2; echo >"$2/go") & exec 4>&-; exec segue-generator /nowhere/normal "$1" /nowhere/late`, machine.early, machine.store);
    expect(exitCode).toBe(0);
    expect(waits()).toBe(false);
  });

  test('a unit that is to start afresh is left out, the others are not', () => {
    mkdirSync(join(machine.run, 'segue/afresh'));
    writeFileSync(join(machine.run, 'segue/afresh/a.service'), '');
    expect(generate()).toEqual(SILENCE);
    expect(existsSync(join(machine.early, 'a.service.d'))).toBe(false);
    expect(existsSync(join(machine.early, 'b.service.d/zz-segue.conf'))).toBe(true);
  });

  test('the journal comes after those who are restored first, but not after one that is started afresh, which comes after it', () => {
    machine.write('units/systemd-journald.service.d/segue.conf', '[Unit]\nAfter=a.service\n');
    const waits = join(machine.early, 'systemd-journald.service.d/segue.conf');
    expect(generate()).toEqual(SILENCE);
    expect(existsSync(waits)).toBe(true);
    mkdirSync(join(machine.run, 'segue/afresh'));
    writeFileSync(join(machine.run, 'segue/afresh/a.service'), '');
    expect(generate()).toEqual(SILENCE);
    expect(existsSync(waits)).toBe(false);
  });
});
