import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { WebSocketServer } from 'ws';

const LINE_MS = 500;

/** An ordinary Node program with long-lived connections; all that it knows is in its memory. */
export async function startProgram(port: number): Promise<Server> {
  let counter = 0;

  const server = createServer((request, response) => {
    switch (request.url) {
      case '/long':
        return streamLines(response);
      case '/uptime':
        return void response.end(JSON.stringify({ pid: process.pid, uptimeS: process.uptime(), counter }));
      default:
        response.writeHead(404).end();
    }
  });

  const sockets = new WebSocketServer({ server, path: '/ws' });
  sockets.on('connection', (socket) => {
    socket.on('error', () => socket.terminate());
    socket.on('message', (data: Buffer) => socket.send(`${data.toString()} ${++counter}`));
  });

  server.listen(port);
  await once(server, 'listening');
  return server;
}

/** Numbered lines for as long as the visitor stays. */
function streamLines(response: ServerResponse): void {
  let line = 0;
  response.writeHead(200, { 'Content-Type': 'text/plain' });
  const timer = setInterval(() => response.write(`${++line}\n`), LINE_MS);
  response.on('close', () => clearInterval(timer));
}
