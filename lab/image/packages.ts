export const SUITE = 'trixie';

/** What every guest has: an ordinary small server, and all that Segue's package depends on. */
export const GUEST_PACKAGES = [
  // the system
  'systemd', 'systemd-sysv', 'dbus', 'udev', 'kmod', 'libpam-systemd', 'e2fsprogs', 'util-linux', 'tar', 'zstd',
  'initramfs-tools', 'busybox', 'openssh-server', 'iproute2', 'nftables', 'procps', 'less', 'ca-certificates',
  'linux-image-cloud-amd64',
  // what Segue stands on
  'nodejs', 'criu', 'cryptsetup-bin', 'kexec-tools', 'xxhash',
  // workloads
  'nginx', 'redis-server', 'memcached', 'postgresql', 'mariadb-server',
  // to look inside
  'strace',
] as const; // prettier-ignore

/** CRIU and the libraries it needs come from sid: trixie's 4.1 cannot dump on kernels from 7.0 on. */
const FROM_SID = 'criu libcompel1 libcriu2 python3-pycriu libnet9 libnl-3-200 libnl-route-3-200 libnl-genl-3-200';

/** apt preferences: sid gives CRIU and nothing else; backports give the one kernel and what it brings along. */
export function aptPreferences(newestKernel: string): string {
  return [
    `Package: ${FROM_SID}\nPin: release n=sid\nPin-Priority: 990\n`,
    `Package: *\nPin: release n=sid\nPin-Priority: -1\n`,
    `Package: linux-base linux-*-${newestKernel}*\nPin: release n=${SUITE}-backports\nPin-Priority: 500\n`,
  ].join('\n');
}

/** apt sources. The Release files of these suites expire within days, while a mirror may be an old snapshot. */
export function aptSources(mirror: string, keyring: string): string[] {
  return [
    `deb [signed-by=${keyring}] ${mirror} ${SUITE} main`,
    `deb [check-valid-until=no signed-by=${keyring}] ${mirror} ${SUITE}-backports main`,
    `deb [check-valid-until=no signed-by=${keyring}] ${mirror} sid main`,
  ];
}
