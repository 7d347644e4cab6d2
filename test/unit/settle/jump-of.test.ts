import { expect, test } from 'vitest';
import { newCommandLine } from '../../../src/plan/command-line.ts';
import { jumpOf, wayBackOf } from '../../../src/settle/settle.ts';

test('the new kernel finds the hand-over by its command line', () => {
  const line = newCommandLine('root=/dev/vda ro', { id: '20260102-030405', store: '/srv/images', pidMax: 4_194_304, lastPid: 5100 });
  expect(jumpOf(line)).toEqual({ id: '20260102-030405', store: '/srv/images' });
});

test('a command line without an upgrade, or with an odd one, is no jump', () => {
  for (const line of ['root=/dev/vda ro', 'nosegue.upgrade=1', 'segue.upgrade=../../etc', 'segue.upgrade=']) expect(jumpOf(line)).toBeUndefined();
  expect(jumpOf('segue.upgrade=1')).toEqual({ id: '1', store: '/var/lib/segue' });
});

test('on the way back it is found by what boot/way-back noted, and nothing else is believed', () => {
  expect(wayBackOf('20260102-030405 /srv/images lost the way back was tried before\n')).toEqual({
    id: '20260102-030405',
    store: '/srv/images',
    wayBack: { way: 'lost', why: 'the way back was tried before' },
  });
  for (const note of ['', '../.. /srv lost why\n', '20260102-030405 srv lost why\n', '20260102-030405 /srv forth why\n']) expect(wayBackOf(note)).toBeUndefined();
});
