import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseUnix, type UnixSocket } from '../../../src/tools/ss.ts';
import { fixture } from '../../fixtures/fixture.ts';
import { damaged, endless } from '../damaged.ts';

const inode = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const queue = fc.nat(2 ** 31 - 1);

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
  for (const text of endless(' ', 'a', '1 ', '1 * ', '* 1 ', 'ino:1 ')) {
    parseUnix(`u_str ESTAB 0 0 ${text}`);
    parseUnix(text);
  }
});
