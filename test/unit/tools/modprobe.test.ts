import { expect, test } from 'vitest';
import { parseModules } from '../../../src/tools/modprobe.ts';
import { fixture } from '../../fixtures/fixture.ts';

const names = (release: string): string[] => parseModules(fixture(`modprobe/${release}.stdout.txt`), '').inserts.map(({ path }) => path.replace(/^.*\/(.*)\.ko.*$/, '$1'));

test('each module is loaded once, after those that it needs', () => {
  expect(names('6.12')).toEqual(['failover', 'net_failover', 'virtio_net', 'crc32c-intel', 'libcrc32c', 'xfs']);
  expect(names('7.3')).toEqual(['failover', 'net_failover', 'virtio_net', 'xfs']);
});

test('what a kernel has built in is no module, and what it does not know is told', () => {
  const pci = 'pci:v00001AF4d00001000sv00001AF4sd00000001bc02sc00i00';
  expect(parseModules(fixture('modprobe/6.12.stdout.txt'), fixture('modprobe/6.12.stderr.txt'))).toMatchObject({ unknown: [pci, 'nosuchthing'], strange: [] });
  expect(parseModules(fixture('modprobe/7.3.stdout.txt'), fixture('modprobe/7.3.stderr.txt'))).toMatchObject({ unknown: ['nosuchthing'], strange: [] });
});

test('options are kept', () => {
  expect(parseModules('insmod /lib/modules/7.3.4/kernel/drivers/nvme/host/nvme.ko.xz poll_queues=2 write_queues=1\n', '').inserts).toEqual([
    { path: '/lib/modules/7.3.4/kernel/drivers/nvme/host/nvme.ko.xz', options: 'poll_queues=2 write_queues=1' },
  ]);
});

test('an install rule, and a warning of another kind, are told as they are', () => {
  const { inserts, strange } = parseModules('install /bin/false\n', 'modprobe: WARNING: /etc/modprobe.d/a.conf line 1: ignoring bad line\n');
  expect(inserts).toEqual([]);
  expect(strange).toEqual(['install /bin/false', 'modprobe: WARNING: /etc/modprobe.d/a.conf line 1: ignoring bad line']);
});
