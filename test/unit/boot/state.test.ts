import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { archive } from '../../../src/tools/tar.ts';
import { isRoot, PrivateMachine } from './private-machine.ts';

describe.runIf(isRoot)('state', () => {
  let machine: PrivateMachine;
  beforeEach(() => {
    machine = new PrivateMachine();
    writeFileSync(join(machine.run, 'segue/locked'), '');
    for (const name of ['sysctl', 'tmpfs']) machine.write(`state/${name}`, '');
  });
  afterEach(() => {
    machine[Symbol.dispose]();
  });

  const restored = (): string[] => machine.journal().map(({ event, what }) => (what === undefined ? event : `${event}: ${what}`));

  test('with nothing to put back all is put back', () => {
    expect(machine.sh('state')).toEqual({ stdout: '', stderr: '', exitCode: 0 });
    expect(restored()).toEqual(['state-restored']);
    expect(existsSync(join(machine.run, 'segue/state'))).toBe(true);
  });

  const called = (): string[] => readFileSync(join(machine.run, 'called'), 'utf8').trim().split('\n');

  test('what a boot would do to settings and files is done first, and not a second time', () => {
    expect(machine.sh('state && once tmpfiles && once sysctl').exitCode).toBe(0);
    expect(called().filter((line) => !line.startsWith('criu'))).toEqual(['systemd-sysctl ', 'systemd-tmpfiles --create --remove --boot --exclude-prefix=/dev']);
  });

  test('the services of the boot may come first, too', () => {
    expect(machine.sh('once tmpfiles && state').exitCode).toBe(0);
    expect(called().filter((line) => line.startsWith('systemd-tmpfiles'))).toHaveLength(1);
  });

  test('that they end badly is told to systemd, and keeps nobody from being restored', () => {
    machine.replace('systemd-tmpfiles', 'exit 65');
    expect(machine.sh('once tmpfiles').exitCode).toBe(65);
    machine.sh('rm /run/segue/tmpfiles.once');
    expect(machine.sh('state').exitCode).toBe(0);
    expect(restored()).toEqual(['state-restored']);
  });

  test('CRIU has learned the kernel when the state is back', () => {
    writeFileSync(join(machine.run, 'criu.kdat'), 'of the old kernel');
    expect(machine.sh('state').exitCode).toBe(0);
    expect(called().filter((line) => line.startsWith('criu'))).toEqual(['criu dedup --images-dir /run/segue/empty']);
    expect(existsSync(join(machine.run, 'criu.kdat'))).toBe(false);
  });

  test('whoever comes second waits for the first, and does nothing', () => {
    machine.replace('systemd-tmpfiles', 'echo first >>/run/called; read line </run/go');
    expect(machine.sh('mkfifo /run/go; state & until [ -e /run/called ] && grep -q first /run/called; do :; done; state & echo >/run/go; wait').exitCode).toBe(0);
    expect(restored()).toEqual(['state-restored']);
  });

  test('what was begun and not ended is not begun again: half a file may be there', () => {
    mkdirSync(join(machine.run, 'segue/state.begun'));
    expect(machine.sh('state').exitCode).toBe(1);
    expect(machine.journal()).toEqual([]);
  });

  test('nothing is put back before the ports are locked', () => {
    machine.sh('rm /run/segue/locked');
    expect(machine.sh('state').exitCode).toBe(1);
    expect(machine.journal()).toEqual([]);
  });

  test('a sysctl that differs is put back; one that is refused is told; one that does not exist is not', () => {
    machine.write('state/sysctl', 'kernel/domainname=carried.example\nkernel/no_such=1\nfs/pipe-max-size=nonsense\nno value\nkernel/panic=77\n');
    expect(machine.sh('state && cat /proc/sys/kernel/domainname')).toEqual({ stdout: '<4>segue: not put back: sysctl fs/pipe-max-size=nonsense\ncarried.example\n', stderr: '', exitCode: 0 });
    expect(restored()).toEqual(['state-skipped: sysctl fs/pipe-max-size=nonsense', 'state-restored']);
    expect(readFileSync('/proc/sys/kernel/panic', 'utf8')).not.toBe('77\n');
  });

  test('the host name is put back', () => {
    machine.write('state/hostname', 'carried.example\n');
    expect(machine.sh('state && cat /proc/sys/kernel/hostname').stdout).toBe('carried.example\n');
  });

  test('files come back with their modes, but not over those that the new boot has made', () => {
    const old = join(machine.store, 'old');
    mkdirSync(old);
    writeFileSync(join(old, 'carried'), 'old', { mode: 0o640 });
    writeFileSync(join(old, 'both'), 'old');
    writeFileSync(join(machine.run, 'both'), 'new');
    const [tar, ...args] = archive(old, `${machine.paths.state}/run.tar`);
    execFileSync(tar!, args);
    machine.write('state/tmpfs', 'run.tar /run\n');

    expect(machine.sh('state && stat -c %a /run/carried')).toEqual({ stdout: '640\n', stderr: '', exitCode: 0 });
    expect(readFileSync(join(machine.run, 'carried'), 'utf8')).toBe('old');
    expect(readFileSync(join(machine.run, 'both'), 'utf8')).toBe('new');
  });

  test('an archive that cannot be read is told, and the rest goes on', () => {
    machine.write('state/tmpfs', 'missing.tar /run\n');
    expect(machine.sh('state').exitCode).toBe(0);
    expect(restored()).toEqual(['state-skipped: files in /run', 'state-restored']);
  });

  test('line ends and other control characters do not tear the journal', () => {
    machine.sh('. "$1/handover.sh" && journal state-skipped what "$2"', machine.lib, 'one\ntwo\tthree\u0007\u001b[31m');
    expect(machine.journal()).toMatchObject([{ what: 'one two three[31m' }]);
  });
});
