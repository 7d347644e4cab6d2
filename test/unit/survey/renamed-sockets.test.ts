import { linkSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { expect, onTestFinished, test } from 'vitest';
import { renamedSockets } from '../../../src/survey/renamed-sockets.ts';
import { task, unixSocket } from './builders.ts';

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
const self = task(process.pid);

test('a socket that is where it was bound is not renamed', async () => {
  const { socket } = await listening('a');
  expect(renamedSockets(self, [socket, unixSocket(78), unixSocket(79, { path: '@abstract' })])).toEqual([]);
});

test('one that was renamed, or linked and removed, is found by its inode', async () => {
  const { folder, socket } = await listening('admin.sock.12.tmp');
  renameSync(socket.path, `${folder}/admin.sock`);
  const other = await listening('supervisor.sock.9');
  linkSync(other.socket.path, `${other.folder}/supervisor.sock`);
  rmSync(other.socket.path);
  expect(renamedSockets(self, [socket, other.socket])).toEqual([
    { bound: socket.path, named: `${folder}/admin.sock` },
    { bound: other.socket.path, named: `${other.folder}/supervisor.sock` },
  ]);
});

test('one that is gone has no other name', async () => {
  const { socket } = await listening('a');
  rmSync(socket.path);
  expect(renamedSockets(self, [socket, { ...socket, path: '/no/such/folder/a' }])).toEqual([]);
});
