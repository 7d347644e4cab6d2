import { expect, test } from 'vitest';
import { parseConnections, parseEncrypted, parseInet, parseUnix } from '../../../src/tools/ss.ts';
import { fixture } from '../../fixtures/fixture.ts';
import { valueOf } from '../value-of.ts';

const inet = valueOf(parseInet(fixture('ss/inet.txt')));
const unix = parseUnix(fixture('ss/unix.txt'));
const lines = (name: string): number => fixture(name).trimEnd().split('\n').length;

test('every socket of a real machine is read', () => {
  expect(inet).toHaveLength(lines('ss/inet.txt'));
  expect(unix).toHaveLength(lines('ss/unix.txt'));
});

test('a listening socket comes with its port and inode', () => {
  expect(inet.find(({ localPort }) => localPort === 6379)).toEqual({
    protocol: 'tcp',
    state: 'LISTEN',
    receiveQueue: 0,
    localAddress: '0.0.0.0',
    localPort: 6379,
    peerAddress: '0.0.0.0',
    peerPort: 0,
    inode: 2903,
  });
});

test('both ends of a connection are found', () => {
  const connections = inet.filter(({ state, localPort, peerPort }) => state === 'ESTAB' && [localPort, peerPort].includes(6379));
  expect(connections).toMatchObject([
    { localAddress: '127.0.0.1', localPort: 51290, peerAddress: '127.0.0.1', peerPort: 6379, inode: 6510 },
    { localAddress: '127.0.0.1', localPort: 6379, peerAddress: '127.0.0.1', peerPort: 51290, inode: 4835 },
  ]);
});

test('an IPv4 connection of an IPv6 socket has the addresses that its packets have', () => {
  expect(inet.find(({ state, localPort }) => state === 'ESTAB' && localPort === 7101)).toMatchObject({ localAddress: '127.0.0.1', peerAddress: '127.0.0.1' });
});

test('an IPv6 listener and one of both families are told apart', () => {
  expect(inet.filter(({ state, localPort }) => state === 'LISTEN' && [80, 7101].includes(localPort)).map(({ localAddress }) => localAddress)).toEqual(['0.0.0.0', '::', '*']);
});

test('a connection that no program has accepted has no inode', () => {
  const [waiting] = valueOf(parseInet('tcp   ESTAB 0      0      10.0.0.2:80   10.0.0.1:4000  ino:0 sk:1 <->\ntcp SYN-RECV 0 0 10.0.0.2:80 10.0.0.1:4001 ino:0 sk:0\n'));
  expect(waiting?.inode).toBe(0);
});

test('a queue on a listening socket is read', () => {
  expect(valueOf(parseInet('tcp LISTEN 3 128 0.0.0.0:80 0.0.0.0:* ino:5 sk:1\n'))[0]?.receiveQueue).toBe(3);
});

test('UDP sockets are read too, other protocols and empty lines are not', () => {
  expect(valueOf(parseInet('udp UNCONN 0 0 127.0.0.53%lo:53 0.0.0.0:* ino:9 sk:2 cgroup:/x <->\n\nraw UNCONN 0 0 0.0.0.0:1 0.0.0.0:*\n'))).toEqual([
    { protocol: 'udp', state: 'UNCONN', receiveQueue: 0, localAddress: '127.0.0.53', localPort: 53, peerAddress: '0.0.0.0', peerPort: 0, inode: 9 },
  ]);
});

test('a unix connection names the inodes of both ends, and its path where it has one', () => {
  const byInode = new Map(unix.map((socket) => [socket.inode, socket]));
  const journal = unix.filter(({ path, state }) => path === '/run/systemd/journal/stdout' && state === 'ESTAB');

  expect(journal.length).toBeGreaterThan(3);
  for (const { inode, peerInode } of journal) expect(byInode.get(peerInode)?.peerInode).toBe(inode);
});

test('a path may hold blanks, and an abstract name begins with @', () => {
  const listening = unix.filter(({ state }) => state === 'LISTEN').map(({ path }) => path);
  expect(listening).toContain('/run/a socket with spaces');
  expect(listening.some((path) => path.startsWith('@abstract name'))).toBe(true);
});

test('a socket without a path or a peer has an empty one and 0', () => {
  expect(parseUnix('u_str LISTEN 2 128 * 77 * 0\n')).toEqual([{ type: 'u_str', state: 'LISTEN', receiveQueue: 2, path: '', inode: 77, peerInode: 0, fileInode: 0 }]);
});

test('a number in a path is not taken for an inode', () => {
  expect(parseUnix('u_str ESTAB 0 0 /run/room 5 77 * 78\nu_str ESTAB 0 0 * 78 /run/room 5 77\n')).toMatchObject([
    { path: '/run/room 5', inode: 77, peerInode: 78 },
    { path: '', inode: 78, peerInode: 77 },
  ]);
});

test('a separator of lines that is none to ss does not hide the socket of whoever has it in a name', () => {
  expect(parseUnix('u_str LISTEN 0 5 /run/a\u2028b\r 77 * 0\n')).toMatchObject([{ path: '/run/a\u2028b', inode: 77 }]);
  expect(valueOf(parseInet('tcp LISTEN 0 5 0.0.0.0:80 0.0.0.0:* ino:5 sk:1 cgroup:/a\u2028ino:6 <->\n'))).toMatchObject([{ localPort: 80, inode: 5 }]);
});

test.each([
  'tcp ESTAB 0 0 10.0.0.2:http 10.0.0.1:4000 ino:7',
  'tcp ESTAB 0 0 10.0.0.2:80000 10.0.0.1:4000 ino:7',
  'tcp ESTAB 0 0 10.0.0.2 10.0.0.1:4000 ino:7',
  'udp UNCONN 0 0 10.0.0:53 *:* ino:7',
  'tcp ESTAB 0 0 10.0.0.2:80 10.0.0.1:4000 timer:(keepalive,4min58se',
  'tcp ESTAB 0 0',
  'tcp ESTAB 0 0 [::ffff:127.0.0.1]:7101 [::fff:127.0.0.1]:51772 ino:4843',
])('a socket that cannot be read, which nobody would lock, is a failure: %s', (line) => {
  expect(parseInet(`tcp LISTEN 0 128 0.0.0.0:80 0.0.0.0:* ino:5\n${line}\n`)).toEqual({ ok: false, failure: { reason: 'output-unreadable', command: 'ss -Hn -tuae', output: line } });
});

const connections = fixture('ss/connections.txt');

test('a connection at rest is what the kernel has counted of it', () => {
  expect(parseConnections(connections)).toEqual(new Map([
    [5781, 'ESTAB 0 bytes_sent:170721 bytes_acked:170721 bytes_received:6364 segs_out:294 snd_wnd:141312 rcv_wnd:61824'],
    [5960, 'ESTAB 0 bytes_sent:920 bytes_acked:920 bytes_received:1285 segs_out:264 snd_wnd:64512 rcv_wnd:65280'],
    // Something is not yet acknowledged.
    [8611, undefined],
  ]));
});

test.for(['bytes_acked:921', 'bytes_received:1286', 'segs_out:265', 'snd_wnd:64513', 'rcv_wnd:65281'])('it is another one with %s', (other) => {
  const name = other.replace(/\d+$/, '');
  const [line = ''] = connections.split('\n').slice(1);
  expect(parseConnections(line.replace(new RegExp(`\\b${name}\\d+`), other)).get(5960)).not.toBe(parseConnections(line).get(5960));
});

test('a segment without data means nothing to a peer that is here', () => {
  const [line = ''] = connections.replaceAll('10.77.0.1:', '10.77.0.2:').split('\n').slice(1);
  expect(parseConnections(line.replace('segs_out:264', 'segs_out:265'))).toEqual(parseConnections(line));
});

test('a connection of which the kernel does not tell enough is never at rest', () => {
  const [line = ''] = connections.split('\n').slice(1);
  expect(parseConnections(line.replace(/ snd_wnd:\d+/, '')).get(5960)).toBeUndefined();
  expect(parseConnections(line.replace(/ rcv_wnd:\d+/, '')).get(5960)).toBeUndefined();
  expect(parseConnections(line.replace('ESTAB', 'FIN-WAIT-1')).get(5960)).toBeUndefined();
});

test('a connection that the kernel encrypts is told from others', () => {
  const encrypted = `${connections.split('\n')[0] ?? ''} tcp-ulp-tls version: 1.3 cipher: aes-gcm-256 rxconf: sw txconf: sw`;
  expect([...parseEncrypted(`${encrypted}\n${connections}`)]).toEqual([Number(/ino:(\d+)/.exec(encrypted)?.[1])]);
  expect(parseEncrypted(connections).size).toBe(0);
});

test('the file of a socket is read, as it may have another name than the socket', () => {
  expect(parseUnix('u_str LISTEN 0      1024                     /var/run/supervisor.sock.699 6081  * 0     <-> ino:521 dev:0/28 peers:      \n')).toMatchObject([{ path: '/var/run/supervisor.sock.699', inode: 6081, fileInode: 521 }]);
});
