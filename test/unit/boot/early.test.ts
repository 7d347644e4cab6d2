import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isRoot, PrivateMachine } from './private-machine.ts';

describe.runIf(isRoot)('early', () => {
  let machine: PrivateMachine;
  beforeEach(() => {
    machine = new PrivateMachine();
    machine.write('state/mounts', 'tmpfs /run/lock tmpfs rw,nosuid,X-mount.mkdir 0 0\n');
    for (const name of ['lock', 'network', 'state', 'check']) script(name, '');
    machine.replace('modprobe', 'echo "modprobe $*" >>/run/called');
  });
  afterEach(() => {
    machine[Symbol.dispose]();
  });

  const script = (name: string, rest: string): void => { writeFileSync(join(machine.lib, name), `#!/bin/sh\necho ${name} $* >>/run/called\n${rest}\n`, { mode: 0o755 }); };
  const called = (): string[] => readFileSync(join(machine.run, 'called'), 'utf8').trim().split('\n');
  /** As the generator does, waits until it is free. */
  const UNTIL_FREE = 'flock /run/segue/early.lock true';

  test('ports, addresses, mounts; then the state and the images, for which nobody waits', () => {
    script('state', 'read line </run/go');
    const { stdout, exitCode } = machine.sh(`mkfifo /run/go && early && ${UNTIL_FREE} && [ -e /run/segue/mounted ] && findmnt -no OPTIONS /run/lock && echo >/run/go && until grep -q check /run/called; do sleep 0.05; done`);
    expect(stdout).toMatch(/^rw,nosuid/);
    expect(exitCode).toBe(0);
    expect(called().slice(0, 3)).toEqual(['lock', 'network early', 'modprobe --quiet --all fs-tmpfs']);
    expect(called().slice(3)).toEqual(['state', 'check']);
  });

  test('the generators of others are out of the way until boot/boot lets them run again', () => {
    for (const name of ['fstab', 'segue-generator']) writeFileSync(join(machine.generators, name), '#!/bin/sh\n', { mode: 0o755 });
    expect(machine.sh(`early && ${UNTIL_FREE} && find /run/systemd/system-generators -type f -size 0 && stat -c %a /run/systemd /run/segue/early.lock`).stdout).toBe('/run/systemd/system-generators/fstab\n755\n600\n');
    expect(machine.sh('unmask && ls /run/systemd/system-generators').stdout).toBe('/run/systemd/system-generators/fstab\n');
  });

  test('the kernel is given the modules for it, which it cannot load by itself there', () => {
    machine.write('state/mounts', 'UUID=AB-CD /run/efi vfat rw,codepage=437,iocharset=ascii,X-mount.mkdir 0 0\n');
    expect(machine.sh(`early && ${UNTIL_FREE}`).exitCode).toBe(0);
    expect(called()).toEqual(['lock', 'network early', 'modprobe --quiet --all fs-vfat nls_cp437 nls_ascii']);
  });

  test.each(['lock', 'network'])('where %s cannot be done so early, the services do it all', (name) => {
    script(name, 'exit 1');
    expect(machine.sh(`early && ${UNTIL_FREE}`).exitCode).toBe(0);
    expect(called().some((line) => line.startsWith('state'))).toBe(false);
    expect(existsSync(join(machine.run, 'segue/mounted'))).toBe(false);
  });

  test('on a machine with filesystems that wait for devices nothing is mounted, and the state is left to its service', () => {
    machine.sh('rm "$1"', `${machine.paths.state}/mounts`);
    expect(machine.sh(`early && ${UNTIL_FREE}`).exitCode).toBe(0);
    expect(called()).toEqual(['lock', 'network early']);
  });

  test('whoever is killed over it keeps nobody waiting', () => {
    script('lock', 'kill -KILL $(ps -o ppid= $(ps -o ppid= $PPID)); sleep 1');
    expect(machine.sh(`early && ${UNTIL_FREE} && cat /run/called`)).toMatchObject({ stdout: 'lock\n', exitCode: 0 });
  });
});
