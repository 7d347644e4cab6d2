import { expect, test } from 'vitest';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
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
    expect(await drain({ kind: 'drain', ports: [port], seconds: 5, slowed: [] })).toEqual({ ok: true, value: undefined });
  } finally {
    server.close();
  }
});

// In a container this is a file like others; a cgroup is made by who has one.
test.runIf(process.getuid?.() === 0 && !existsSync('/sys/fs/cgroup/cgroup.controllers'))('who does not accept in time has its processors back, and then all is given up', async () => {
  const controlGroup = `/segue-test-drain-${process.pid.toString()}`;
  const folder = `/sys/fs/cgroup${controlGroup}`;
  mkdirSync(folder);
  writeFileSync(`${folder}/cpu.max`, '1000 20000');
  const deaf = spawn('perl', ['-e', 'use IO::Socket::INET; $| = 1; my $l = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1") or die; print $l->sockport; sleep 1000'], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    const port = Number(String(((await once(deaf.stdout, 'data')) as [Buffer])[0]));
    const client = connect(port, '127.0.0.1');
    await once(client, 'connect');
    expect(await drain({ kind: 'drain', ports: [port], seconds: 1.2, slowed: [{ controlGroup, limit: 'max 100000' }] })).toMatchObject({ ok: false, failure: { reason: 'listen-queue', ports: [port] } });
    expect(readFileSync(`${folder}/cpu.max`, 'utf8')).toBe('max 100000');
    client.destroy();
  } finally {
    deaf.kill();
    rmSync(folder, { recursive: true });
  }
});
