import { afterEach, expect, test } from 'vitest';
import { driversAbove, namesOf, undriven } from '../../../src/initramfs/drivers.ts';
import { mountOn, readRoot, type Root } from '../../../src/initramfs/root.ts';
import type { Understood } from '../../../src/model/initramfs.ts';
import { parseBlockDevices } from '../../../src/tools/lsblk.ts';
import { fixture } from '../../fixtures/fixture.ts';
import { valueOf } from '../value-of.ts';
import { FakeMachine } from './machine.ts';

const MOUNTINFO = fixture('proc/init-mountinfo.txt');
const ROOT_LINE = /^29 1 254:0 .*$/m;
const KNOWN = valueOf(parseBlockDevices(fixture('lsblk/server.json')));
const UUID = '7fa34ec5-5c9a-4d8b-8c78-26e6bfb73d44';

let machine: FakeMachine | undefined;
afterEach(() => {
  machine?.[Symbol.dispose]();
  machine = undefined;
});

/** The lab guest, with another line for its root filesystem. */
function withRoot(line: string): FakeMachine {
  machine = new FakeMachine(MOUNTINFO.replace(ROOT_LINE, line));
  return machine;
}
const plain = (): FakeMachine => withRoot(ROOT_LINE.exec(MOUNTINFO)?.[0] ?? '');
const read = (places: FakeMachine, known = KNOWN): Understood<Root> => readRoot(undefined, known, places);
const why = (answer: Understood<Root>): string => (answer.ok ? 'understood' : answer.why);

test('ext4 on a whole disk of virtio is understood', () => {
  expect(read(plain())).toEqual({
    ok: true,
    value: {
      uuid: UUID,
      type: 'ext4',
      options: 'rw',
      devices: [
        { path: 'pci0000:00/0000:00:02.0/virtio0', bus: 'virtio', alias: 'virtio:d00000002v00001AF4', module: 'virtio_blk', loaded: true },
        { path: 'pci0000:00/0000:00:02.0', bus: 'pci', alias: 'pci:v00001AF4d00001001sv00001AF4sd00000002bc01sc00i00', module: 'virtio_pci', loaded: false },
      ],
    },
  });
});

test('a partition is driven by what drives its disk', () => {
  const places = withRoot('29 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw');
  places.disk('254:1', 'pci0000:00/0000:00:02.0/virtio0/block/vda/vda1');
  places.write('proc/fs/jbd2/vda1-8/info', '');
  places.write('sys/fs/ext4/vda1/errors_count', '0\n');
  const root = read(places, [{ name: 'vda1', number: '254:1', uuid: UUID }]);
  expect(root).toMatchObject({ ok: true, value: { devices: [{ module: 'virtio_blk' }, { module: 'virtio_pci' }] } });
});

test('it is mounted as it is mounted now, with the flags of the command line', () => {
  expect(readRoot('data=journal', KNOWN, plain())).toMatchObject({ value: { options: 'rw,data=journal' } });
  machine?.[Symbol.dispose]();
  expect(read(withRoot('29 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda ro,errors=remount-ro'))).toMatchObject({ value: { options: 'ro' } });
});

test.each([
  ['29 1 0:40 / / rw - overlay overlay rw,lowerdir=/a,upperdir=/b', '/ is overlay'],
  ['29 1 0:41 / / rw - nfs4 server:/root rw', '/ is nfs4'],
  ['29 1 0:42 /@ / rw - btrfs /dev/vda rw,subvol=/@', '/ is a part of a filesystem (/@)'],
  ['29 1 0:43 / / rw - zfs rpool/ROOT rw', '/ is zfs'],
  ['29 1 254:0 /inside / rw - ext4 /dev/vda rw', '/ is a part of a filesystem (/inside)'],
  ['29 1 254:0 / / rw - xfs /dev/vda rw,attr2,logdev=/dev/vdb', '/ has its log or its files on a second device'],
  ['29 1 9:9 / / rw - ext4 /dev/what rw', '/ is on the device 9:9, which is not known'],
  ['29 1 254:0 / / rw - ext4 /dev/vda rw\n60 29 254:16 / /usr rw - ext4 /dev/vdb rw', '/usr is a filesystem of its own'],
])('beyond us: %s', (line, reason) => {
  expect(why(read(withRoot(line)))).toBe(reason);
});

test.each([
  ['virtual/block/dm-0', '/ is on LVM, LUKS, multipath or another mapping (dm-0)'],
  ['virtual/block/md127', '/ is on a software RAID (md127)'],
  ['virtual/nvme-subsystem/nvme-subsys0/nvme0n1', '/ is on a device that is made by software (nvme0n1)'],
  ['platform/host4/session1/target4:0:0/4:0:0:1/block/sda', '/ is on iSCSI (sda)'],
  ['pci0000:00/0000:00:05.0/host1/rport-1:0-0/target1:0:0/1:0:0:0/block/sda', '/ is on a storage network (sda)'],
  ['pci0000:00/0000:00:14.0/usb1/1-1/1-1:1.0/host0/target0:0:0/0:0:0:0/block/sda', '/ is on USB (sda)'],
  ['platform/something.0/block/sda', 'the way to sda is not known (platform/something.0/block/sda)'],
])('beyond us: a root at %s', (path, reason) => {
  const places = withRoot('29 1 8:0 / / rw - ext4 /dev/sda rw');
  places.disk('8:0', path);
  expect(why(read(places))).toBe(reason);
});

test('a filesystem that fsck must see first is left to the installed initramfs', () => {
  const places = plain();
  for (const count of ['2\n', 'many\n', '']) {
    places.write('sys/fs/ext4/vda/errors_count', count);
    expect(why(read(places))).toBe('/ has errors that fsck must look at');
  }
});

test('without a journal in the filesystem, the same', () => {
  const places = withRoot('29 1 254:0 / / rw - ext4 /dev/vda rw');
  places.disk('8:0', 'pci0000:00/0000:00:02.0/virtio0/block/sda');
  places.write('proc/self/mountinfo', '29 1 8:0 / / rw - ext4 /dev/sda rw\n');
  expect(why(read(places))).toBe('/ has no journal of its own');
});

test('a filesystem whose UUID is not its own cannot be told from its twin', () => {
  const twin = { name: 'vdb', number: '254:16', uuid: UUID };
  expect(why(read(plain(), [...KNOWN, twin]))).toBe('vda and vdb hold filesystems of the same UUID');
  machine?.[Symbol.dispose]();
  expect(why(read(plain(), []))).toBe('the filesystem on vda has no UUID');
});

test('a device that lsblk shows below several others is one', () => {
  const text = fixture('lsblk/server.json');
  const device = /\{\s*"name"[^}]*\}/.exec(text)?.[0] ?? '';
  expect(valueOf(parseBlockDevices(text.replace(device, `${device}, ${device}`)))).toEqual(KNOWN);
});

test('of two mounts on a path the later one counts', () => {
  expect(mountOn('/', '1 0 8:0 / / rw - ext4 /dev/a rw\n2 1 0:9 / / ro - overlay none rw')).toMatchObject({ type: 'overlay', options: ['ro'] });
});

test('a device has a driver on another kernel when that knows its alias or its present driver', () => {
  const devices = driversAbove(`${plain().sys}/dev/block/254:0`, machine?.sys);
  const [blk, pci] = devices;
  expect(undriven(devices, [])).toBeUndefined();
  expect(undriven(devices, [blk!.alias!])).toBeUndefined();
  expect(undriven(devices, [blk!.module!])).toBeUndefined();
  expect(undriven(devices, namesOf(blk!))).toBe(blk);
  // What is built in now, and known nowhere by name, is built in there too.
  expect(undriven(devices, namesOf(pci!))).toBeUndefined();
});
