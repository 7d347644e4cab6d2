import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import type { Client } from './client.js';
import { Conversation, WrongAnswer } from './conversation.js';
import { Inbox } from './inbox.js';

/** One request whose answer does not end: numbered lines, of which none may be missing or come twice. */
export const httpLong: Client = {
  name: 'http-long',
  port: 8080,
  async start(target) {
    const outgoing = request({ host: target.host, port: target.port, path: '/long', agent: false });
    let lines: Inbox<string>;
    let last = 0;
    // The server sets the pace.
    const conversation = new Conversation('http-long', { ...target, intervalMs: 0 }, {
      async prepare() {
        outgoing.end();
        const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
        if (response.statusCode !== 200) throw new WrongAnswer(`status ${response.statusCode}`);
        response.on('error', (error) => conversation.lose(error.message));
        response.on('end', () => conversation.lose('the answer ended'));
        lines = Inbox.ofLines(response);
      },
      async ask() {
        const line = await lines.take();
        const expected = last + 1;
        if (/^\d+$/.test(line)) last = Number(line);
        if (line !== String(expected)) throw new WrongAnswer(`line ${line} instead of ${expected}`);
      },
      close: () => void outgoing.destroy(),
      detail: () => ({ lines: last }),
    });
    outgoing.on('error', (error) => conversation.lose(error.message));
    return conversation.begin();
  },
};
