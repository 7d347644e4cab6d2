import { expect, test } from 'vitest';
import { createServer } from 'node:net';
import { drain, waitingPorts } from '../../../src/park/drain.ts';
import { inetSocket, listening } from '../survey/builders.ts';

const PORTS = [80, 443];

test('nobody waits where every connection is accepted', () => {
  expect(waitingPorts([listening(80), inetSocket(), inetSocket({ state: 'CLOSE-WAIT' })], PORTS)).toEqual([]);
});

test('a connection in a listen queue waits', () => {
  expect(waitingPorts([listening(80), listening(443, { receiveQueue: 2 })], PORTS)).toEqual([443]);
});

test('a connection that is made but that no program has accepted waits', () => {
  expect(waitingPorts([inetSocket({ inode: 0 })], PORTS)).toEqual([80]);
});

test('a handshake under way waits', () => {
  expect(waitingPorts([inetSocket({ state: 'SYN-RECV', inode: 0 })], PORTS)).toEqual([80]);
});

test('a connection that is over does not wait, though it has no inode', () => {
  expect(waitingPorts([inetSocket({ state: 'TIME-WAIT', inode: 0 })], PORTS)).toEqual([]);
});

test('ports of others and other protocols do not count', () => {
  expect(waitingPorts([listening(22, { receiveQueue: 1 }), inetSocket({ protocol: 'udp', state: 'UNCONN', inode: 0 })], PORTS)).toEqual([]);
});

test('a port is named once, however many wait there', () => {
  expect(waitingPorts([listening(80, { receiveQueue: 1 }), inetSocket({ inode: 0 }), inetSocket({ inode: 0 })], PORTS)).toEqual([80]);
});

test('with all connections accepted the draining ends at once', async () => {
  const server = createServer();
  await new Promise<void>((listen) => server.listen(0, '127.0.0.1', listen));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  try {
    expect(await drain([port], 5)).toEqual({ ok: true, value: undefined });
  } finally {
    server.close();
  }
});
