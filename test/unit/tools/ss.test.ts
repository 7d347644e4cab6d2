import { expect, test } from 'vitest';
import { parseConnections, parseEncrypted, parseUnix } from '../../../src/tools/ss.ts';
import { fixture } from '../../fixtures/fixture.ts';

const unix = parseUnix(fixture('ss/unix.txt'));
const lines = (name: string): number => fixture(name).trimEnd().split('\n').length;

test('every unix socket of a real machine is read', () => {
  expect(unix).toHaveLength(lines('ss/unix.txt'));
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
