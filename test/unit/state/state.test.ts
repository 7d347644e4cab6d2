import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { handoverPaths } from '../../../src/model/handover.ts';
import type { Mount } from '../../../src/model/task.ts';
import type { Step } from '../../../src/model/step.ts';
import { writeConfiguration } from '../../../src/state/configuration.ts';
import { filesystems, mountable, tableOfMounts } from '../../../src/state/filesystems.ts';
import { missingDevicesScript } from '../../../src/tools/nft.ts';
import { batch, missingDevices, withoutTwins } from '../../../src/state/network.ts';
import type { StateContext } from '../../../src/state/kind.ts';
import { isCarried, readSysctls } from '../../../src/state/sysctl.ts';
import { matches, tmpfs } from '../../../src/state/tmpfs.ts';
import type { Link } from '../../../src/tools/ip.ts';
import { fixture } from '../../fixtures/fixture.ts';
import { valueOf } from '../value-of.ts';
import { mount, survey, workload } from '../survey/builders.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'segue-state-'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const address = (parts: Partial<Link['addr_info'][number]>): Link['addr_info'][number] => ({ family: 'inet', local: '192.0.2.1', prefixlen: 24, scope: 'global', ...parts });
const link = (parts: Partial<Link>): Link => ({ ifname: 'eth0', flags: ['UP'], addr_info: [], ...parts });

test('the addresses of a real machine come back, but for those that the kernel makes itself', () => {
  const links = JSON.parse(fixture('ip/address.json')) as Link[];
  expect(batch(links, ['default via 10.77.0.1 dev ens3 proto static'])).toEqual([
    'link set dev lo mtu 65536 up',
    'link set dev ens3 mtu 1500 up',
    'address replace 10.77.0.2/24 broadcast 10.77.0.255 label ens3 scope global dev ens3',
    'route replace default via 10.77.0.1 dev ens3 proto static',
  ]);
});

test('IPv6 addresses come back without duplicate address detection, temporary ones do not', () => {
  const addresses = [
    address({ family: 'inet6', local: '2001:db8::1', prefixlen: 64 }),
    address({ family: 'inet6', local: '2001:db8::2', prefixlen: 64, temporary: true }),
    address({ family: 'inet6', local: 'fe80::1', prefixlen: 64, scope: 'link' }),
  ];
  expect(batch([link({ addr_info: addresses })], [])).toEqual(['link set dev eth0 up', 'address replace 2001:db8::1/64 nodad scope global dev eth0']);
});

test('a point-to-point address keeps its peer', () => {
  expect(batch([link({ addr_info: [address({ address: '192.0.2.9', prefixlen: 32 })] })], [])[1]).toBe('address replace 192.0.2.1 peer 192.0.2.9/32 scope global dev eth0');
});

test('an IPv4 link-local address is set by somebody and comes back', () => {
  expect(batch([link({ addr_info: [address({ local: '169.254.1.1', prefixlen: 16, scope: 'link' })] })], [])[1]).toBe('address replace 169.254.1.1/16 scope link dev eth0');
});

test('a gateway comes after the route that leads to it', () => {
  expect(batch([], ['default via 10.128.0.1 dev eth0 proto dhcp', '10.128.0.1 dev eth0 proto dhcp scope link'])).toEqual(['route replace 10.128.0.1 dev eth0 proto dhcp scope link', 'route replace default via 10.128.0.1 dev eth0 proto dhcp']);
});

test('a hardware address that was set comes back, but not that of a bond to its cards', () => {
  expect(batch([link({ address: '02:00:00:00:00:01', permaddr: '52:54:00:00:00:01' })], [])).toEqual(['link set dev eth0 address 02:00:00:00:00:01', 'link set dev eth0 up']);
  expect(batch([link({ address: '02:00:00:00:00:01', permaddr: '52:54:00:00:00:01', master: 'bond0' })], [])).toEqual(['link set dev eth0 up']);
});

test('of devices without a card the addresses that are in use are borrowed, and nothing leaves with them in the clear', () => {
  const missing = missingDevices([
    link({ ifname: 'wg0', addr_info: [address({ local: '10.8.0.2' }), address({ local: '10.8.0.3' }), address({ family: 'inet6', local: 'fd00::2', prefixlen: 64 })] }),
    link({ ifname: 'docker0', addr_info: [address({ local: '172.17.0.1', prefixlen: 16 })] }),
  ], new Set(['10.8.0.2', 'fd00::2', '192.0.2.1']));
  expect(missing).toEqual([{ device: 'wg0', addresses: ['10.8.0.2', 'fd00::2'] }]);
  expect(missingDevicesScript(missing)).toContain('ip6 saddr fd00::2 oifname != { "lo", "wg0" } counter drop');
});

test('of two cards with one hardware address the one above the other is meant', () => {
  for (const name of ['eth0', 'enP1s1', 'eth1', 'eth2', 'lan1', 'lan2']) mkdirSync(join(root, name, 'device'), { recursive: true });
  mkdirSync(join(root, 'br0'));
  const found = [
    link({ ifname: 'enP1s1', address: '00:0d:3a:00:00:01', master: 'eth0' }),
    link({ ifname: 'eth0', address: '00:0d:3a:00:00:01' }),
    // A bond gives its address to its cards.
    link({ ifname: 'eth1', address: '52:54:00:00:00:01', master: 'br0' }),
    link({ ifname: 'eth2', address: '52:54:00:00:00:01', permaddr: '52:54:00:00:00:02', master: 'br0' }),
    link({ ifname: 'br0', address: '52:54:00:00:00:01' }),
    // Two ports of one switch.
    link({ ifname: 'lan1', address: '52:54:00:00:00:09' }),
    link({ ifname: 'lan2', address: '52:54:00:00:00:09' }),
  ];
  expect(withoutTwins(found, root).map(({ ifname }) => ifname)).toEqual(['eth0', 'eth1', 'eth2', 'br0', 'lan1', 'lan2']);
});

test('a link that is down stays down', () => {
  expect(batch([link({ flags: ['BROADCAST'], addr_info: [address({})] })], [])).toEqual([]);
});

test.each([
  ['vm/swappiness', true],
  ['net/ipv4/ip_forward', true],
  ['net/ipv4/tcp_rmem', true],
  ['net/core/somaxconn', true],
  ['kernel/pid_max', true],
  ['kernel/panic', true],
  ['kernel/ns_last_pid', false],
  ['kernel/hostname', false],
  ['kernel/random/uuid', false],
  ['kernel/kexec_load_disabled', false],
  ['fs/file-nr', false],
  ['vm/drop_caches', false],
  ['net/ipv4/route/flush', false],
  ['net/ipv6/conf/eth0/stable_secret', false],
  ['net/ipv4/tcp_mem', false],
  ['dev/cdrom/info', false],
  ['user/max_user_namespaces', false],
])('whether the sysctl %s is carried: %s', (key, carried) => {
  expect(isCarried(key)).toBe(carried);
});

test('sysctls are read from all folders, in order; what cannot be set or has several lines is left out', () => {
  const files: Record<string, string> = { 'vm/swappiness': '60\n', 'net/ipv4/tcp_rmem': '4096\t131072\t6291456\n', 'kernel/random/uuid': 'x\n', 'net/empty': '\n', 'vm/many': 'a\nb\n', 'vm/fixed': '1\n', 'vm/trigger': '0\n' };
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(root, name, '..'), { recursive: true });
    writeFileSync(join(root, name), content, { mode: 0o644 });
  }
  chmodSync(join(root, 'vm/fixed'), 0o444);
  chmodSync(join(root, 'vm/trigger'), 0o200);

  expect(readSysctls(root)).toEqual(['net/ipv4/tcp_rmem=4096\t131072\t6291456', 'vm/swappiness=60']);
});

const excluded = (step: Step | undefined): string[] => (step?.action.kind === 'run' ? step.action.argv.flatMap((word) => /^--exclude=\.\/(.*)$/.exec(word)?.[1] ?? []) : []);

async function stepsOf(context: StateContext): Promise<readonly Step[]> {
  const steps = await tmpfs.carry(context);
  if (!steps.ok) throw new Error(steps.failure.reason);
  return steps.value;
}

async function tmpfsSteps(mounts: readonly string[], runtimeDirectory = ''): Promise<readonly Step[]> {
  const carried = [workload('a.service', { properties: { RuntimeDirectory: runtimeDirectory } })];
  const seen = survey(carried, { hostMounts: mounts.map((path) => mount(path)) });
  return await stepsOf({ paths: handoverPaths(root, 'id'), survey: seen, carried });
}

test('every tmpfs that the machine has is archived while parked, and listed for boot/state', async () => {
  const steps = await tmpfsSteps(['/run', '/run/lock', '/dev/shm', '/run/credentials/x', '/sys/fs/cgroup']);

  expect(steps.filter(({ phase }) => phase === 'park').map(({ title }) => title)).toEqual(['archive /run', 'archive /run/lock', 'archive /dev/shm']);
  expect(steps.at(-1)?.action).toMatchObject({ kind: 'write', content: 'run.tar /run\nrun%2Flock.tar /run/lock\ndev%2Fshm.tar /dev/shm\n' });
});

test('so is one of the administrator, but not what a program has mounted for itself', async () => {
  const carried = [workload('a.service')];
  const seen = survey(carried, { hostMounts: [mount('/srv/a b'), mount('/var/lib/docker/shm')], mountedByUnits: new Set(['/srv/a b']) });
  expect((await stepsOf({ paths: handoverPaths(root, 'id'), survey: seen, carried })).at(-1)?.action).toMatchObject({ content: 'srv%2Fa%20b.tar /srv/a b\n' });
});

test('a folder that is bound from a tmpfs is not a tmpfs of its own', async () => {
  const carried = [workload('a.service')];
  const seen = survey(carried, { hostMounts: [mount('/tmp', { root: '/sub' }), mount('/dev/shm', { type: 'ext4' })] });
  expect(await stepsOf({ paths: handoverPaths(root, 'id'), survey: seen, carried })).toHaveLength(1);
});

describe('filesystems on devices besides the root', () => {
  const DEVICES = [{ name: 'sda1', number: '8:1', uuid: 'AB-CD' }, { name: 'sda2', number: '8:2', uuid: 'e4' }, { name: 'dm-0', number: '253:0', uuid: 'lv' }];
  const boot = mount('/boot', { device: '8:2', type: 'ext4' });
  const efi = mount('/boot/efi', { device: '8:1', type: 'vfat' });
  beforeEach(() => {
    mkdirSync(join(root, 'dev/block'), { recursive: true });
    for (const [number, path] of [['8:1', 'pci0/sda/sda1'], ['8:2', 'pci0/sda/sda2'], ['253:0', 'virtual/block/dm-0']] as const) {
      mkdirSync(join(root, 'devices', path), { recursive: true });
      symlinkSync(join(root, 'devices', path), join(root, 'dev/block', number));
    }
    mkdirSync(join(root, 'fs/ext4/sda2'), { recursive: true });
    writeFileSync(join(root, 'fs/ext4/sda2/errors_count'), '0\n');
  });

  const onRoot = mount('/', { device: '8:3', type: 'ext4' });
  const howToMount = (...hostMounts: Mount[]) => mountable({ hostMounts: [onRoot, ...hostMounts], mountedByUnits: new Set(hostMounts.map(({ path }) => path)) }, DEVICES, root);

  test('those that a mount is enough for are listed by their UUID', () => {
    const sources = howToMount(boot, efi);
    expect(tableOfMounts([{ path: '/', type: 'ext4', options: 'rw' }, { path: '/boot', type: 'ext4', options: 'rw,relatime' }, { path: '/boot/efi', type: 'vfat', options: 'rw,codepage=437' }], sources!)).toBe('UUID=e4 /boot ext4 rw,relatime,X-mount.mkdir 0 0\nUUID=AB-CD /boot/efi vfat rw,codepage=437,X-mount.mkdir 0 0\n');
  });

  test('a path is written as fstab(5) has it', () => {
    expect(tableOfMounts([{ path: '/a b\\#', type: 'xfs', options: 'rw' }], new Map([['/a b\\#', { source: 'UUID=x', type: 'xfs' }]]))).toBe('UUID=x /a\\040b\\134\\043 xfs rw,X-mount.mkdir 0 0\n');
  });

  test.each([
    ['on LVM', mount('/srv', { device: '253:0', type: 'xfs' })],
    ['of another kind', mount('/srv', { device: '8:2', type: 'btrfs' })],
    ['on a device that lsblk does not know', mount('/srv', { device: '8:9', type: 'xfs' })],
    ['of which only a part is mounted', mount('/srv', { device: '8:1', type: 'vfat', root: '/sub' })],
    ['that is a part of another one', mount('/home', { device: '0:40', type: 'btrfs', root: '/@home' })],
    ['of memory, a part of it', mount('/srv', { root: '/sub' })],
  ])('one %s waits for systemd, and so do all', (_, other) => {
    expect(howToMount(boot, other)).toBeUndefined();
  });

  test('so does one with errors, and one whose UUID is there twice', () => {
    expect(mountable({ hostMounts: [onRoot, efi], mountedByUnits: new Set() }, [...DEVICES, { name: 'sdb1', number: '8:17', uuid: 'AB-CD' }], root)).toBeUndefined();
    writeFileSync(join(root, 'fs/ext4/sda2/errors_count'), '3\n');
    expect(howToMount(boot)).toBeUndefined();
  });

  test("the administrator's tmpfs is listed, and a folder that is seen at another place as well", () => {
    const sources = howToMount(boot, mount('/srv/ram'), mount('/srv/www', { device: '8:3', type: 'ext4', root: '/home/www' }), mount('/srv/kernels', { device: '8:2', type: 'ext4', root: '/kernels' }));
    expect([...sources!]).toEqual([
      ['/boot', { source: 'UUID=e4', type: 'ext4' }],
      ['/srv/ram', { source: 'tmpfs', type: 'tmpfs' }],
      ['/srv/www', { source: '/home/www', type: 'none', options: 'bind' }],
      ['/srv/kernels', { source: '/boot/kernels', type: 'none', options: 'bind' }],
    ]);
    expect(tableOfMounts([{ path: '/srv/www', type: 'ext4', options: 'ro,nosuid' }], sources!)).toBe('/home/www /srv/www none ro,nosuid,bind,X-mount.mkdir 0 0\n');
  });

  test('what a program has mounted for itself it mounts again', () => {
    const own = [mount('/var/lib/docker/shm'), mount('/var/lib/docker/merged', { type: 'overlay' }), mount('/var/lib/docker', { device: '8:3', type: 'ext4', root: '/var/lib/docker' }), mount('/run/user/0')];
    expect(mountable({ hostMounts: [onRoot, ...own], mountedByUnits: new Set() }, DEVICES, root)).toEqual(new Map());
  });

  test('in any case the restores wait for them', async () => {
    const carried = [workload('a.service')];
    const written = async (...mounts: Mount[]) => valueOf(await filesystems.carry({ paths: handoverPaths(root, 'id'), survey: survey(carried, { hostMounts: mounts, mountedByUnits: new Set(['/srv']) }), carried })).map(({ action }) => (action.kind === 'write' ? action.path.replace(/^.*\/(?=handover)/, '') : action.kind));
    expect(await written(mount('/run'))).toEqual(['handover/state/mounts']);
    expect(await written(mount('/srv', { device: '254:99', type: 'xfs' }))).toEqual(['handover/units/segue-mounts.target.d/filesystems.conf']);
    expect(await written(mount('/srv', { type: 'nfs4' }))).toEqual(['handover/units/segue-mounts.target.d/filesystems.conf']);
  });
});

test('what the boot and the platform make in /run themselves is left behind', async () => {
  const [run] = await tmpfsSteps(['/run']);
  expect(excluded(run)).toEqual(expect.arrayContaining(['systemd', 'udev', 'segue', 'lock', 'credentials', 'criu*']));
});

test('the folder of a carried service comes along even if it is called like one of the platform', async () => {
  const [run] = await tmpfsSteps(['/run'], 'redis chrony');
  expect(excluded(run)).not.toContain('chrony');
  expect(excluded(run)).toContain('systemd');
});

test('a configuration file is written whole, into folders that need not be there, readable for all', async () => {
  await writeConfiguration(join(root, 'etc/sysctl.d/60-segue.conf'), 'a = 1\n');
  await writeConfiguration(join(root, 'etc/sysctl.d/60-segue.conf'), 'a = 2\n');

  expect(readFileSync(join(root, 'etc/sysctl.d/60-segue.conf'), 'utf8')).toBe('a = 2\n');
  expect(statSync(join(root, 'etc/sysctl.d/60-segue.conf')).mode & 0o777).toBe(0o644);
  expect(readdirSync(join(root, 'etc/sysctl.d'))).toEqual(['60-segue.conf']);
});

test('a name matches itself, whatever it is, and what of it a star stands for', () => {
  const name = fc.oneof(fc.constantFrom('c++', 'a(b', '[x', 'a.b', '^', '$', '{2}', '\\', '\n'), fc.string({ maxLength: 12 })).filter((text) => !text.includes('*'));
  fc.assert(
    fc.property(name, fc.nat(), fc.nat(), name, (text, from, to, other) => {
      const [start, end] = [from % (text.length + 1), to % (text.length + 1)].toSorted((a, b) => a - b);
      expect(matches(text, text)).toBe(true);
      expect(matches(text, `${text.slice(0, start)}*${text.slice(end)}`)).toBe(true);
      expect(matches(other, text)).toBe(other === text);
    }),
  );
});
