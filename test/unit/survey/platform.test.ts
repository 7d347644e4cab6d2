import { expect, test } from 'vitest';
import { platformReason } from '../../../src/model/platform.ts';

test.each([
  ['init.scope', 'is systemd itself'],
  ['systemd-journald.service', 'reads the kernel log; the journal goes on'],
  ['systemd-journald@netdata.service', 'reads the kernel log; the journal goes on'],
  ['systemd-udevd.service', 'manages the devices of the kernel that runs'],
  ['systemd-logind.service', 'is a part of systemd'],
  ['dbus.service', 'is the message bus, to which the fresh parts of the system connect'],
  ['getty@tty1.service', 'is a login prompt'],
  ['serial-getty@ttyS0.service', 'is a login prompt'],
  ['ssh.service', 'is the way in; its login sessions end'],
  ['sshd@1-10.0.0.1:22-10.0.0.2:4000.service', 'is the way in; its login sessions end'],
  ['session-4.scope', 'is a login session: it ends'],
  ['NetworkManager.service', 'manages network devices'],
  ['ifup@eth0.service', 'manages network devices'],
  ['chrony.service', 'steers the clock of the kernel that runs'],
  ['rsyslog.service', 'reads the kernel log'],
  ['lvm2-lvmpolld.service', 'works on the kernel or its devices'],
  ['polkit.service', 'is started by the message bus when needed'],
  ['qemu-guest-agent.service', 'talks to the hypervisor'],
  ['segue-settle.service', 'is segue'],
])('%s is started afresh: it %s', (unit, why) => {
  expect(platformReason(unit, {})).toBe(why);
});

test.each(['nginx.service', 'postgresql@17-main.service', 'redis-server.service', 'my-systemd-thing.service', 'sshd-audit.service', 'gdm-notes.service', 'user@0.service'])(
  '%s is work that can be carried',
  (unit) => {
    expect(platformReason(unit, { DefaultDependencies: 'yes' })).toBeUndefined();
  },
);

test('a unit without default dependencies belongs to the early boot', () => {
  expect(platformReason('nginx.service', { DefaultDependencies: 'no' })).toBe('belongs to the early boot');
});
