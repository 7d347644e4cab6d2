import type { Socket } from 'node:net';
import { buildConnector, Client as HttpClient, errors } from 'undici';
import type { Client } from './client.js';
import { Conversation, WrongAnswer } from './conversation.js';
import { PAGE_BODY, PAGE_PATH } from './page.js';

/** One connection kept alive, the same small file asked for over it again and again. */
export const httpKeepalive: Client = {
  name: 'http-keepalive',
  port: 80,
  async start(target) {
    const connect = buildConnector({ timeout: 10_000 });
    let socket: Socket | undefined;
    let localPort: number | undefined;
    const http = new HttpClient(`http://${target.host}:${target.port}`, {
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      // undici would quietly open another connection when the first is closed.
      connect(options, callback) {
        if (socket !== undefined) return callback(new Error('the connection was closed'), null);
        connect(options, (...[error, opened]) => {
          if (error !== null) return callback(error, null);
          socket = opened;
          localPort = opened.localPort;
          callback(null, opened);
        });
      },
    });
    const conversation = new Conversation('http-keepalive', target, {
      async ask() {
        const { statusCode, body } = await http.request({ method: 'GET', path: PAGE_PATH });
        const text = await body.text();
        if (statusCode !== 200) throw new WrongAnswer(`status ${statusCode}`);
        if (text !== PAGE_BODY) throw new WrongAnswer(`a body of ${text.length} characters: ${text.slice(0, 40)}`);
      },
      async finish() {
        if (socket?.localPort !== localPort) conversation.wrong(`local port ${socket?.localPort}, was ${localPort}`);
      },
      close: () => http.destroy(),
      detail: () => ({ localPort: localPort ?? 0 }),
    });
    http.on('disconnect', (_origin, _targets, error) => {
      // An answer nobody asked for: undici does not go on after one, the connection is well.
      if (error instanceof errors.HTTPParserError) conversation.fail(error.message);
      else conversation.lose(error.message);
    });
    return conversation.begin();
  },
};
