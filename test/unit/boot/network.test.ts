import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { batch } from '../../../src/state/network.ts';
import { missingDevicesScript } from '../../../src/tools/nft.ts';
import { isRoot, PrivateMachine } from './private-machine.ts';

describe.runIf(isRoot)('network', () => {
  let machine: PrivateMachine;
  beforeEach(() => {
    machine = new PrivateMachine();
    writeFileSync(join(machine.run, 'segue/locked'), '');
    for (const name of ['links', 'network', 'network6', 'network-rules', 'network-files', 'network-services']) machine.write(`state/${name}`, '');
  });
  afterEach(() => {
    machine[Symbol.dispose]();
  });

  const restored = (): string[] => machine.journal().map(({ event, what }) => (what === undefined ? event : `${event}: ${what}`));
  const isBack = (): boolean => existsSync(join(machine.run, 'segue/network'));

  test('nothing is put back before the ports are locked', () => {
    machine.sh('rm /run/segue/locked');
    expect(machine.sh('network').exitCode).toBe(1);
    expect([restored(), isBack()]).toEqual([[], false]);
  });

  test('addresses and routes are put back, and to put them back twice is no failure', () => {
    const lines = batch(
      [{ ifname: 'test0', flags: ['UP'], addr_info: [
        { family: 'inet', local: '192.0.2.1', prefixlen: 24, broadcast: '192.0.2.255', scope: 'global', label: 'test0' },
        { family: 'inet6', local: '2001:db8::1', prefixlen: 64, scope: 'global' },
      ] }],
      ['default via 192.0.2.254 dev test0 proto static metric 100'],
    );
    machine.write('state/network', lines.map((line) => `${line}\n`).join(''));
    machine.write('state/network6', 'route replace default via 2001:db8::2 dev test0 proto static metric 50 pref medium\n');
    const { stdout, exitCode } = machine.sh(
      'ip link add test0 type veth peer name test1 && ip link set test1 up && network && network && ip -brief address show test0 && ip route show default && ip -6 route show default',
    );

    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/192\.0\.2\.1\/24 .*2001:db8::1\/64/);
    expect(stdout).toMatch(/^default via 192\.0\.2\.254 dev test0 proto static metric 100/m);
    expect(stdout).toMatch(/^default via 2001:db8::2 dev test0 proto static metric 50/m);
    expect(restored()).toEqual(['network-restored', 'network-restored']);
  });

  test('nothing leaves with an address whose device is missing', () => {
    machine.write('state/network', 'address replace 192.0.2.7/32 dev lo\n');
    machine.write('state/missing-devices.nft', missingDevicesScript([{ device: 'wg0', addresses: ['192.0.2.7'] }]));
    const sending = `perl -MSocket -e 'socket S, AF_INET, SOCK_DGRAM, 0; bind S, sockaddr_in(0, inet_aton("192.0.2.7")); for (@ARGV) { send(S, "x", 0, sockaddr_in(9, inet_aton($_))) or print "$_: $!\\n" }' 192.0.2.7 198.51.100.1`;
    const { stdout, exitCode } = machine.sh(`network && ip link add out0 type veth peer name out1 && ip link set out0 up && ip link set out1 up && ip route add 198.51.100.0/24 dev out0 && ${sending}`);
    expect({ stdout, exitCode }).toEqual({ stdout: '198.51.100.1: Operation not permitted\n', exitCode: 0 });
  });

  test('rules are put back, and systemd-networkd is told to keep what it does not know', () => {
    machine.write('state/network-rules', '-4 pref 100 from 192.0.2.0/24 lookup 51\n-6 pref 7 not from all fwmark 0x51 lookup 51\n');
    machine.write('state/network-files', '10-netplan-eth0.network\nall of them.network\n');
    const { stdout, exitCode } = machine.sh('network && network && ip -4 rule show && ip -6 rule show');
    expect(exitCode).toBe(0);
    expect(stdout.match(/lookup 51/g)).toHaveLength(2);
    expect(restored()).toEqual(['network-restored', 'network-restored']);
    const told = (path: string): string => readFileSync(join(machine.run, 'systemd', path, 'zz-segue.conf'), 'utf8');
    expect([told('network/10-netplan-eth0.network.d'), told('network/all of them.network.d')]).toEqual(Array(2).fill('[Network]\nKeepConfiguration=yes\n'));
    expect(told('networkd.conf.d')).toBe('[Network]\nManageForeignRoutingPolicyRules=no\n');
  });

  test('an address of a device that is gone is told, and the others are put back', () => {
    machine.write('state/network', 'address replace 192.0.2.1/24 dev gone0\naddress replace 192.0.2.2/24 dev lo\n');
    expect(machine.sh('network && ip -brief address show lo').stdout).toContain('192.0.2.2/24');
    expect(restored()).toEqual(['state-skipped: some addresses or routes', 'network-restored']);
  });

  test('in the initramfs nothing is put back as long as a device is missing', () => {
    machine.write('state/links', 'lo -\nbridge0 -\n');
    machine.write('state/network', 'address replace 192.0.2.2/24 dev lo\n');
    const { stdout, exitCode } = machine.sh('network early || echo later; ip -brief address show lo');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('later\n');
    expect(stdout).not.toContain('192.0.2.2/24');
    expect([restored(), isBack()]).toEqual([[], false]);
  });

  test('what the services of the network have to make is asked of them, and awaited', () => {
    machine.write('state/links', 'bridge0 -\n');
    machine.write('state/network-services', 'systemd-networkd.service\n');
    machine.write('state/network', 'address replace 192.0.2.2/24 dev bridge0\n');
    machine.replace('systemctl', 'echo "$*" && ip link add bridge0 type bridge');
    const { stdout, exitCode } = machine.sh('network && ip -brief address show bridge0');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('start systemd-udevd.service systemd-udev-trigger.service systemd-networkd.service\n');
    expect(stdout).toContain('192.0.2.2/24');
    expect([restored(), isBack()]).toEqual([['network-restored'], true]);
  });
});
