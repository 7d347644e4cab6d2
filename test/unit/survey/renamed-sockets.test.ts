import { linkSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { renamedSockets } from '../../../src/survey/renamed-sockets.ts';
import type { UnixSocket } from '../../../src/tools/ss.ts';
import { socketFile, task, unixSocket } from './builders.ts';

/** A server of its own; its socket, as `ss` shows it, and its folder. */
async function listening(name: string) {
  const folder = mkdtempSync(`${tmpdir()}/segue-sockets-`);
  const server = createServer();
  onTestFinished(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  await new Promise<void>((resolve) => { server.listen(`${folder}/${name}`, resolve); });
  return { folder, socket: unixSocket(77, { state: 'LISTEN', path: `${folder}/${name}`, fileInode: statSync(`${folder}/${name}`).ino }) };
}

/** Held by this process. */
const renamed = (...sockets: readonly UnixSocket[]) => {
  const byInode = sockets.map((socket, index) => ({ ...socket, inode: 77 + index }));
  return renamedSockets([task(process.pid, { files: byInode.map(({ inode }) => socketFile(inode)) })], new Map(byInode.map((socket) => [socket.inode, socket])));
};

test('a socket that is where it was bound is not renamed', async () => {
  const { socket } = await listening('a');
  expect(renamed(socket, unixSocket(78), unixSocket(79, { path: '@abstract' }))).toEqual([]);
});

test('one that was renamed, or linked and removed, is found by its inode', async () => {
  const { folder, socket } = await listening('admin.sock.12.tmp');
  renameSync(socket.path, `${folder}/admin.sock`);
  const other = await listening('supervisor.sock.9');
  linkSync(other.socket.path, `${other.folder}/supervisor.sock`);
  rmSync(other.socket.path);
  expect(renamed(socket, other.socket, socket)).toEqual([
    { bound: socket.path, named: `${folder}/admin.sock` },
    { bound: other.socket.path, named: `${other.folder}/supervisor.sock` },
  ]);
});

test('one that is gone has no other name', async () => {
  const { socket } = await listening('a');
  rmSync(socket.path);
  expect(renamed(socket, { ...socket, path: '/no/such/folder/a' })).toEqual([]);
});
