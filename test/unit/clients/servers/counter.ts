import { createServer, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocketServer } from 'ws';
import { listen, type TestServer } from './server.js';
import { Troublemaker, type Trouble } from './trouble.js';

/** As the demo's Node program, but it can misbehave, and its lines come faster. */
export function counterServer(trouble: Trouble): Promise<TestServer> {
  const troublemaker = new Troublemaker(trouble);
  let counter = 0;

  const server = createServer((_request, response) => void stream(response));
  async function stream(response: ServerResponse): Promise<void> {
    const socket = response.socket!;
    for (let line = 1; !response.destroyed; line++) {
      await troublemaker.answer(
        socket,
        (skip) => `${skip ? ++line : line}\n`,
        (_socket, text) => response.write(text),
      );
      await sleep(20);
    }
  }
  const sockets = new WebSocketServer({ server, path: '/ws' });
  sockets.on('connection', (client, request) => {
    client.on('message', (data: Buffer) => {
      void troublemaker.answer(
        request.socket,
        (skip) => `${data.toString()} ${(counter += skip ? 2 : 1)}`,
        (_socket, text) => client.send(text),
      );
    });
  });
  return listen(server);
}
