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
    // Each time another part of the file: an answer that belongs to another request would not match.
    let last = -1;
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
        last = (last + 1) % PAGE_BODY.length;
        const headers = { range: `bytes=0-${last}` };
        const { statusCode, body } = await http.request({ method: 'GET', path: PAGE_PATH, headers });
        const text = await body.text();
        if (statusCode !== 206) throw new WrongAnswer(`status ${statusCode}`);
        if (text !== PAGE_BODY.slice(0, last + 1)) throw new WrongAnswer(`bytes 0 to ${last} are ${text}`);
      },
      async finish() {
        if (socket?.localPort !== localPort) conversation.wrong(`local port ${socket?.localPort}, was ${localPort}`);
      },
      close: () => http.destroy(),
      detail: () => ({ localPort: localPort ?? 0 }),
    });
    http.on('disconnect', (_origin, _targets, error) => {
      // An answer nobody asked for: undici does not go on after one, the connection is well.
      if (error instanceof errors.HTTPParserError || error.message === 'bad response') conversation.fail(error.message);
      else conversation.lose(error.message);
    });
    return conversation.begin();
  },
};
