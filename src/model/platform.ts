import type { Properties } from '../tools/systemctl.ts';

/**
 * The services that belong to a boot rather than to the machine's work: they hold the kernel's devices, clocks, sessions
 * or the bus, and are started afresh on every kernel. Each with the reason, as `segue check` says it.
 */
const PLATFORM: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/^init\.scope$/, 'is systemd itself'],
  [/^systemd-journald(@.*)?\.service$/, 'reads the kernel log; the journal goes on'],
  [/^systemd-udevd\.service$/, 'manages the devices of the kernel that runs'],
  [/^systemd-.*\.service$/, 'is a part of systemd'],
  [/^(dbus|dbus-broker)\.service$/, 'is the message bus, to which the fresh parts of the system connect'],
  [/^(getty|serial-getty|console-getty|container-getty|autovt)(@.*)?\.service$/, 'is a login prompt'],
  [/^(ssh|sshd)(@.*)?\.service$/, 'is the way in; its login sessions end'],
  [/^user-runtime-dir@.*\.service$/, 'belongs to a login session'],
  [/^session-.*\.scope$/, 'is a login session: it ends'],
  [/^(gdm3?|sddm|lightdm|display-manager)\.service$/, 'is a graphical login: its sessions end'],
  [/^(NetworkManager.*|networking|ifup@.*|wpa_supplicant.*|dhcpcd.*|ModemManager|connman|iwd|bluetooth)\.service$/, 'manages network devices'],
  [/^(chrony|chronyd|ntp|ntpd|ntpsec|openntpd)\.service$/, 'steers the clock of the kernel that runs'],
  [/^(rsyslog|syslog-ng|syslog)\.service$/, 'reads the kernel log'],
  [/^(auditd|multipathd|mdmonitor|irqbalance|smartd|smartmontools|thermald|acpid|lvm2-.*|dm-event|rasdaemon|mcelog|rngd|haveged|firewalld|ufw|nftables|apparmor|kexec.*|iscsid|open-iscsi|tuned|power-profiles-daemon|upower|fwupd)\.service$/, 'works on the kernel or its devices'],
  [/^(polkit|accounts-daemon|packagekit|udisks2|colord|rtkit-daemon|switcheroo-control|low-memory-monitor)\.service$/, 'is started by the message bus when needed'],
  [/^(qemu-guest-agent|open-vm-tools|vmtoolsd|spice-vdagentd|cloud-init.*|walinuxagent|google-.*agent.*|hv-.*)\.service$/, 'talks to the hypervisor'],
  [/^segue-.*\.(service|scope)$/, 'is segue'],
];

/** Why this unit is started afresh in any case; undefined when it is work that can be carried. */
export function platformReason(unit: string, properties: Properties): string | undefined {
  for (const [pattern, why] of PLATFORM) if (pattern.test(unit)) return why;
  if (properties['DefaultDependencies'] === 'no') return 'belongs to the early boot';
  return undefined;
}
