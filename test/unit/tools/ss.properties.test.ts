import { isIP } from 'node:net';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseInet, parseUnix, type InetSocket, type UnixSocket } from '../../../src/tools/ss.ts';
import { fixture } from '../../fixtures/fixture.ts';
import { damaged, endless } from '../damaged.ts';
import { valueOf } from '../value-of.ts';

const inode = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const queue = fc.nat(2 ** 31 - 1);

const any = fc.constant({ plain: '*', shown: '*' });
const ipv4 = fc.oneof(fc.ipV4().map((plain) => ({ plain, shown: plain })), fc.ipV4().map((plain) => ({ plain, shown: `[::ffff:${plain}]` })), any);
const ipv6 = fc.oneof(fc.ipV6().map((plain) => ({ plain, shown: `[${plain}]` })).filter(({ plain }) => isIP(plain) === 6 && !/^::ffff:\d+\./.test(plain)), any);
/** Both are of one family. */
const addresses = fc.oneof(fc.tuple(ipv4, ipv4), fc.tuple(ipv6, ipv6));
const device = fc.constantFrom('', '%lo', '%ens3', '%br-0.1');
const port = fc.nat(65_535);
/** What a line goes on with; the inode comes before the name of the cgroup, which may hold anything but blanks. */
const detail = fc.tuple(fc.constantFrom('', 'timer:(keepalive,119min,0) ', 'uid:103 '), fc.string({ unit: 'binary', maxLength: 10 }).map((name) => name.replace(/[\n/]/g, '')));

const inetLine = fc
  .record({ protocol: fc.constantFrom('tcp' as const, 'udp' as const), state: fc.constantFrom('LISTEN', 'ESTAB', 'FIN-WAIT-1', 'UNCONN'), queue, addresses, device, localPort: port, peerPort: port, inode, detail })
  .map(({ protocol, state, queue: receiveQueue, addresses: [local, peer], device: on, localPort, peerPort, inode: number, detail: [before, group] }) => {
    const shown = (each: number): string => (each === 0 ? '*' : each.toString());
    const socket: InetSocket = { protocol, state, receiveQueue, localAddress: local.plain, localPort, peerAddress: peer.plain, peerPort, inode: number };
    return { socket, line: `${protocol} ${state}  ${receiveQueue}   0   ${local.shown}${on}:${shown(localPort)}   ${peer.shown}:${shown(peerPort)} ${before}ino:${number} sk:1 cgroup:/a.slice/${group} <->   ` };
  });

test('what ss shows of TCP and UDP sockets is read as it is meant, whatever their cgroups are called', () => {
  fc.assert(
    fc.property(fc.array(inetLine, { maxLength: 5 }), (all) => {
      expect(parseInet(all.map(({ line }) => `${line}\n`).join(''))).toEqual({ ok: true, value: all.map(({ socket }) => socket) });
    }),
  );
});

test('of damaged output every TCP and UDP socket is read, or none', () => {
  fc.assert(
    fc.property(damaged(fixture('ss/inet.txt')), (text) => {
      const result = parseInet(text);
      if (!result.ok) {
        expect(result.failure).toMatchObject({ reason: 'output-unreadable', command: 'ss -Hn -tuae' });
        return;
      }
      expect(result.value).toHaveLength(text.split('\n').filter((line) => /^(tcp|udp)\b/.test(line.trim())).length);
      for (const { localAddress, localPort, peerAddress, peerPort, receiveQueue, inode: number } of result.value) {
        for (const each of [localAddress, peerAddress]) expect(each === '*' || isIP(each) > 0).toBe(true);
        for (const each of [localPort, peerPort]) expect(each).toBeLessThan(65_536);
        for (const each of [localPort, peerPort, receiveQueue, number]) expect(Number.isSafeInteger(each) && each >= 0).toBe(true);
      }
    }),
  );
});

const name = fc.oneof(fc.constantFrom('/run/a 5 b', '@a', '/run/* 7 * 8', 'x 1 2'), fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }).map((text) => text.replace(/[\n ]+/g, ' ').trim())).filter((text) => text !== '' && !/^\*/.test(text));
const unixLine = fc
  .record({ type: fc.constantFrom('u_str', 'u_dgr', 'u_seq'), state: fc.constantFrom('LISTEN', 'ESTAB', 'UNCONN'), queue, own: fc.oneof(name, fc.constant('')), inode, peerInode: inode, peer: fc.oneof(name, fc.constant('')), fileInode: fc.oneof(fc.constant(0), inode) })
  // Not both have a name.
  .map((each) => ({ ...each, peer: each.own === '' ? each.peer : '' }))
  .map(({ type, state, queue: receiveQueue, own, inode: number, peerInode, peer, fileInode }) => ({
    socket: { type, state, receiveQueue, path: own, inode: number, peerInode, fileInode } satisfies UnixSocket,
    line: `${type} ${state}  ${receiveQueue}  0      ${own || '*'} ${number.toString().padEnd(5)} ${peer || '*'} ${peerInode.toString().padEnd(4)}  <-> ${fileInode === 0 ? '' : `ino:${fileInode.toString()} dev:0/28`} ${state === 'LISTEN' ? 'peers:' : ''}     `,
  }));

test('what ss shows of unix sockets is read as it is meant, whatever they are called', () => {
  fc.assert(
    fc.property(fc.array(unixLine, { maxLength: 5 }), (all) => {
      expect(parseUnix(all.map(({ line }) => `${line}\n`).join(''))).toEqual(all.map(({ socket }) => socket));
    }),
  );
});

test('of damaged output no unix socket comes that makes no sense, and none is lost from the lines that are whole', () => {
  const whole = new Map(fixture('ss/unix.txt').split('\n').map((line) => [line, parseUnix(line)]));
  fc.assert(
    fc.property(damaged(fixture('ss/unix.txt')), (text) => {
      const sockets = parseUnix(text);
      for (const { inode: number, peerInode, receiveQueue } of sockets) for (const each of [number, peerInode, receiveQueue]) expect(Number.isSafeInteger(each)).toBe(true);
      expect(sockets).toEqual(expect.arrayContaining(text.split('\n').flatMap((line) => whole.get(line) ?? [])));
    }),
  );
});

test('names without end are read in time', () => {
  for (const text of endless(' ', 'a', '1 ', '1 * ', '* 1 ', '%', ':', 'ino:1 ')) {
    parseUnix(`u_str ESTAB 0 0 ${text}`);
    parseUnix(text);
    expect(valueOf(parseInet(`tcp ESTAB 0 0 10.0.0.1:1 10.0.0.2:2 ino:7 cgroup:/${text}`))[0]?.inode).toBe(7);
    parseInet(`tcp ESTAB 0 0 ${text}`);
    parseInet(`tcp${text}`);
  }
});
