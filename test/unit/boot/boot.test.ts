import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isRoot, PrivateMachine } from './private-machine.ts';

const GOES_ON = ['start --no-block default.target', 'start default.target', 'start --no-block segue-settle.service'];
const SETTINGS = ['vm/overcommit_memory', 'kernel/panic'];

describe.runIf(isRoot)('boot', () => {
  let machine: PrivateMachine;
  beforeEach(() => {
    machine = new PrivateMachine();
    machine.write('workloads/a.service/main', '1\n');
    // They stay what they are on the machine that the tests run on.
    machine.write('state/sysctl', SETTINGS.map((key) => `${key}=${readFileSync(`/proc/sys/${key}`, 'utf8')}`).join(''));
    writeFileSync(join(machine.run, 'segue/state'), '');
    mkdirSync(join(machine.run, 'segue/ended'));
    writeFileSync(join(machine.run, 'segue/ended/a.service'), '');
    machine.replace('systemctl', 'echo "$@" >>/run/calls');
  });
  afterEach(() => {
    machine[Symbol.dispose]();
  });

  const calls = (): string[] => readFileSync(join(machine.run, 'calls'), 'utf8').trim().split('\n');

  test('when all run again the boot goes on, and there is no way back any more', () => {
    expect(machine.sh('boot')).toEqual({ stdout: '', stderr: '', exitCode: 0 });
    expect(calls()).toEqual(GOES_ON);
    expect(machine.journal().map(({ event }) => event)).toEqual(['booting']);
    expect(existsSync(`${machine.paths.upgrade}/booted`)).toBe(true);
  });

  test('one that is required is waited for', () => {
    machine.write('required', 'a.service\nb.service\n');
    machine.replace('systemctl', '[ -e /run/segue/ended/b.service ] || echo "too early" >>/run/calls; echo "$@" >>/run/calls');
    machine.sh("sh -c '(sleep 0.5; : >/run/segue/ended/b.service) & boot'");
    expect(calls()).toEqual(GOES_ON);
  });

  test('the generators that boot/early has put out of the way run again before', () => {
    mkdirSync(join(machine.run, 'systemd/system-generators'), { recursive: true });
    writeFileSync(join(machine.run, 'systemd/system-generators/fstab'), '');
    writeFileSync(join(machine.run, 'systemd/system-generators/own'), '#!/bin/sh\n');
    expect(machine.sh('boot').exitCode).toBe(0);
    expect(calls()).toEqual(['daemon-reload', ...GOES_ON]);
    expect(readdirSync(join(machine.run, 'systemd/system-generators'))).toEqual(['own']);
  });

  test('rules that cannot be loaded even now are those that a boot loads', () => {
    writeFileSync(join(machine.run, 'segue/locked'), '');
    machine.write('state/firewall.nft', 'table inet a {\n  chain b { iif "missing0" drop; }\n}\n');
    machine.write('state/firewall-loaders', 'nftables.service\n');
    mkdirSync(join(machine.run, 'systemd/system-generators'), { recursive: true });
    writeFileSync(join(machine.run, 'systemd/system-generators/fstab'), '');
    machine.write('units/nftables.service.d/zz-segue.conf', '[Service]\n');
    expect(machine.sh('boot').exitCode).toBe(0);
    expect(calls()).toEqual(['daemon-reload', ...GOES_ON]);
    expect(existsSync(`${machine.paths.units}/nftables.service.d/zz-segue.conf`)).toBe(false);
    expect(readdirSync(join(machine.run, 'systemd/system-generators'))).toEqual([]);
    expect(machine.journal().map(({ event, what }) => what ?? event)).toEqual(['booting', 'rules of the firewall: those of the boot are loaded']);
  });

  test('rules of a device that has come meanwhile are loaded, and no others twice', () => {
    writeFileSync(join(machine.run, 'segue/locked'), '');
    machine.write('state/firewall.nft', 'table inet a {\n  chain b { iif "late0" drop; }\n}\n');
    const { stdout } = machine.sh('{ firewall || echo "to come"; ip link add late0 type veth peer name late1; boot; boot; nft list ruleset; } 2>/dev/null');
    expect(stdout).toMatch(/^to come\n/);
    expect(stdout.match(/iif "late0" drop/g)).toHaveLength(1);
    expect(calls()).toEqual([...GOES_ON, ...GOES_ON]);
  });

  test('targets that were unmasked, but are still masked to systemd, are reloaded before', () => {
    mkdirSync(join(machine.run, 'systemd/generator.early'), { recursive: true });
    symlinkSync('/dev/null', join(machine.run, 'systemd/generator.early/sysinit.target'));
    expect(machine.sh('boot').exitCode).toBe(0);
    expect(calls()).toEqual(['daemon-reload', ...GOES_ON]);
  });

  test('systemd is asked again until it hears', () => {
    machine.replace('systemctl', 'echo "$@" >>/run/calls; [ "$(wc -l </run/calls)" -gt 2 ] || { echo "Connection timed out" >&2; exit 1; }');
    expect(machine.sh('boot').exitCode).toBe(0);
    expect(calls()).toEqual([...Array.from({ length: 2 }, () => GOES_ON[0]), ...GOES_ON]);
  });

  test('what Segue has told units is taken back if nothing can be started with it', () => {
    machine.replace('systemctl', 'echo "$@" >>/run/calls; [ "$*" != "start --no-block default.target" ] || grep -q settle /run/calls');
    expect(machine.sh('boot').exitCode).toBe(0);
    expect(calls()).toEqual([...Array.from({ length: 5 }, () => GOES_ON[0]), GOES_ON[2], ...GOES_ON]);
  });

  test('a boot in which something fails is settled as well', () => {
    machine.replace('systemctl', 'echo "$@" >>/run/calls; [ "$*" != "start default.target" ]');
    expect(machine.sh('boot').exitCode).toBe(0);
    expect(calls()).toEqual(GOES_ON);
  });

  test("the watchdog's driver is loaded before the boot goes on, where there is one", () => {
    machine.write('state/watchdog', 'i6300esb\n');
    machine.replace('modprobe', 'echo modprobe "$@" >>/run/calls; exit 1');
    expect(machine.sh('boot')).toEqual({ stdout: '', stderr: '', exitCode: 0 });
    expect(calls()).toEqual(['modprobe --all -- i6300esb', ...GOES_ON]);
  });

  test('a setting that cannot be put back does not end the boot', () => {
    machine.write('state/sysctl', 'vm/overcommit_memory=much\nkernel/panic=never\n');
    expect(machine.sh('boot').exitCode).toBe(0);
    expect(calls()).toEqual(GOES_ON);
  });
});
