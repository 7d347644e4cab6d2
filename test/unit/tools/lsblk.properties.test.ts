import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseBlockDevices } from '../../../src/tools/lsblk.ts';
import { fixture } from '../../fixtures/fixture.ts';
import { damaged } from '../damaged.ts';

test('of damaged output every device is read, or none', () => {
  fc.assert(
    fc.property(damaged(fixture('lsblk/server.json')), (text) => {
      const result = parseBlockDevices(text);
      if (!result.ok) {
        expect(result.failure).toMatchObject({ reason: 'output-unreadable', command: 'lsblk --json --list --output NAME,MAJ:MIN,UUID' });
        return;
      }
      const shown = (JSON.parse(text) as { blockdevices: { 'maj:min': string }[] }).blockdevices.map((device) => device['maj:min'].trim());
      expect(result.value.map(({ number }) => number)).toEqual([...new Set(shown)]);
    }),
  );
});

test('a device that is below several others is one device', () => {
  const device = fc.record({ name: fc.string(), 'maj:min': fc.tuple(fc.nat(3), fc.nat(3)).map((numbers) => ` ${numbers.join(':')} `), uuid: fc.option(fc.uuid()) });
  fc.assert(
    fc.property(fc.array(device, { maxLength: 8 }), (devices) => {
      const last = new Map(devices.map((each) => [each['maj:min'].trim(), { name: each.name, number: each['maj:min'].trim(), uuid: each.uuid ?? undefined }]));
      expect(parseBlockDevices(JSON.stringify({ blockdevices: devices }))).toEqual({ ok: true, value: [...last.values()] });
    }),
  );
});
