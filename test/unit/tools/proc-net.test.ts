import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { inetSockets, isConnection, parseSockets, type InetSocket } from '../../../src/tools/proc-net.ts';
import { fixture } from '../../fixtures/fixture.ts';
import { valueOf } from '../value-of.ts';

const read = (name: string): InetSocket[] => valueOf(parseSockets(`/proc/net/${name}`, name.startsWith('tcp') ? 'tcp' : 'udp', fixture(`proc-net/${name}.txt`)));
const tcp = read('tcp');
const tcp6 = read('tcp6');

test('every socket of a real machine is read', () => {
  for (const name of ['tcp', 'tcp6', 'udp', 'udp6']) expect(read(name)).toHaveLength(fixture(`proc-net/${name}.txt`).trimEnd().split('\n').length - 1);
});

test('a listening socket comes with its port and inode', () => {
  expect(tcp.find(({ localPort }) => localPort === 6379)).toEqual({ protocol: 'tcp', state: 'LISTEN', receiveQueue: 0, localAddress: '0.0.0.0', localPort: 6379, peerAddress: '0.0.0.0', peerPort: 0, inode: 3363 });
});

test('both ends of a connection are found', () => {
  expect(tcp.filter(({ state, localPort, peerPort }) => state === 'ESTAB' && [localPort, peerPort].includes(6379))).toMatchObject([
    { localAddress: '127.0.0.1', localPort: 6379, peerAddress: '127.0.0.1', peerPort: 51432, inode: 3929 },
    { localAddress: '127.0.0.1', localPort: 51432, peerAddress: '127.0.0.1', peerPort: 6379, inode: 3928 },
  ]);
});

test('an IPv4 connection of an IPv6 socket has the addresses that its packets have', () => {
  expect(tcp6.find(({ state, localPort }) => state === 'ESTAB' && localPort === 7101)).toMatchObject({ localAddress: '127.0.0.1', peerAddress: '127.0.0.1', peerPort: 40344 });
});

test('addresses of IPv6 are in their usual form', () => {
  expect(new Set(tcp6.map(({ localAddress }) => localAddress))).toEqual(new Set(['::', 'fd00:77::2', '127.0.0.1']));
});

test('a connection that no program has accepted has no inode, and is counted where it waits', () => {
  expect(tcp6.find(({ state, localPort }) => state === 'LISTEN' && localPort === 7102)?.receiveQueue).toBe(1);
  expect(tcp6.find(({ state, localPort }) => state === 'ESTAB' && localPort === 7102)?.inode).toBe(0);
});

test('what waits in a connection, or for a UDP socket, is counted', () => {
  expect(tcp.find(({ localPort, peerPort }) => localPort === 40344 && peerPort === 7101)?.receiveQueue).toBe(3);
  expect(read('udp').find(({ localPort }) => localPort === 5353)).toMatchObject({ protocol: 'udp', state: 'UNCONN', receiveQueue: 896 });
});

test('what has or had a peer is a connection', () => {
  expect(new Set([...tcp, ...tcp6].filter(isConnection).map(({ state }) => state))).toEqual(new Set(['ESTAB', 'TIME-WAIT']));
  expect(read('udp').filter(isConnection)).toEqual([]);
});

const [head = '', line = ''] = fixture('proc-net/tcp.txt').split('\n');
test.each([
  ['an address that is cut off', line.replace('00000000:1538', '000000:1538')],
  ['addresses of two families', line.replace('00000000:0000', `${'0'.repeat(32)}:0000`)],
  ['a state that nobody knows', line.replace(' 0A ', ' 0D ')],
  ['no inode', line.slice(0, line.indexOf('3630'))],
  ['an inode that may be cut off', line.slice(0, line.indexOf('3630') + 4)],
  ['nothing', '   '],
])('a socket that cannot be read, which nobody would lock, is a failure: %s', (_, damaged) => {
  expect(damaged).not.toBe(line);
  expect(parseSockets('/proc/net/tcp', 'tcp', `${head}\n${line}\n${damaged}\n`)).toEqual({ ok: false, failure: { reason: 'output-unreadable', command: 'cat /proc/net/tcp', output: damaged.trim() || '(nothing)' } });
});

test("this process's own sockets are found", async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect(port, '127.0.0.1');
  await once(server, 'connection');
  const own = valueOf(inetSockets()).filter(({ localPort, peerPort }) => [localPort, peerPort].includes(port));
  client.destroy();
  server.close();

  expect(own.map(({ state }) => state).sort()).toEqual(['ESTAB', 'ESTAB', 'LISTEN']);
  for (const { localAddress, inode } of own) {
    expect(localAddress).toBe('127.0.0.1');
    expect(inode).toBeGreaterThan(0);
  }
});
