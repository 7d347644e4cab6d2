import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A server on a port of loopback; ends with the block that it is used in. */
export interface TestServer extends AsyncDisposable {
  readonly port: number;
}

/** Listens, and hands over each connection. */
export async function serve(onConnection: (socket: Socket) => void): Promise<TestServer> {
  return listen(createServer(onConnection));
}

export async function listen(server: Server): Promise<TestServer> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    // Otherwise the second of two small packets waits for the client's next request.
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
