import { isIP } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseSockets } from '../../../src/tools/proc-net.ts';
import { fixture } from '../../fixtures/fixture.ts';
import { damaged, endless } from '../damaged.ts';

test('of a damaged list every socket is read, or none', () => {
  fc.assert(
    fc.property(damaged(...['tcp', 'tcp6', 'udp', 'udp6'].map((name) => fixture(`proc-net/${name}.txt`))), (text) => {
      const result = parseSockets('/proc/net/tcp', 'tcp', text);
      if (!result.ok) {
        expect(result.failure).toMatchObject({ reason: 'output-unreadable', command: 'cat /proc/net/tcp' });
        return;
      }
      expect(result.value).toHaveLength(text.split('\n').slice(1).filter(Boolean).length);
      for (const { state, localAddress, localPort, peerAddress, peerPort, receiveQueue, inode } of result.value) {
        expect(state).not.toBe('');
        for (const each of [localAddress, peerAddress]) expect(isIP(each)).toBeGreaterThan(0);
        for (const each of [localPort, peerPort]) expect(each).toBeLessThan(65_536);
        for (const each of [localPort, peerPort, receiveQueue, inode]) expect(Number.isSafeInteger(each) && each >= 0).toBe(true);
      }
    }),
  );
});

test('lines without end are read in time', () => {
  for (const text of endless(' ', '0', '0:', '00000000:', 'F')) {
    parseSockets('/proc/net/tcp', 'tcp', `\n${text}`);
    parseSockets('/proc/net/tcp', 'tcp', `\n   0: ${text}`);
    parseSockets('/proc/net/tcp', 'tcp', `\n   0: 0100007F:18EB 0100007F:C8E8 01 00000000:00000000 ${text}`);
  }
});
