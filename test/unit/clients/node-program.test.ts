import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { httpLong } from '../../../lab/clients/http-long.js';
import { websocket } from '../../../lab/clients/websocket.js';
import { startProgram } from '../../../lab/demo/node-program/program.js';

test("the demo's Node program and its two clients understand each other", async () => {
  const server = await startProgram(0);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const target = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  const clients = await Promise.all([websocket.start(target), httpLong.start(target)]);
  await sleep(500);
  const [socket, long] = await Promise.all(clients.map((client) => client.stop()));
  const uptime = (await (await fetch(`http://127.0.0.1:${target.port}/uptime`)).json()) as Record<string, number>;

  expect(socket).toMatchObject({ lost: 0, errors: 0 });
  expect(long).toMatchObject({ lost: 0, errors: 0 });
  expect(uptime).toMatchObject({ pid: process.pid, counter: socket?.answers });
});
