import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { Client, Target } from './client.js';
import { Conversation, WrongAnswer } from './conversation.js';
import { PAGE_BODY, PAGE_PATH } from './page.js';

/**
 * A new connection for each request, as most visitors of a web site come. One that has to wait is well; one that is
 * refused, reset or cut short is an error, and the next is tried all the same.
 */
export const httpNew: Client = {
  name: 'http-new',
  port: 80,
  async start(target) {
    const conversation = new Conversation('http-new', target, {
      async prepare() {
        await fetchOnce(target);
      },
      async ask() {
        const response = await fetchOnce(target).catch((error: Error) => {
          throw new WrongAnswer(error.message);
        });
        const { status, body } = parse(response);
        if (!status.includes(' 200 ')) throw new WrongAnswer(`status line: ${status}`);
        if (body !== PAGE_BODY) throw new WrongAnswer(`a body of ${body.length} characters: ${body.slice(0, 40)}`);
      },
      close: () => undefined,
    });
    return conversation.begin();
  },
};

/** The whole answer, byte for byte: an HTTP library would hide what comes after its end. */
async function fetchOnce({ host, port }: Target): Promise<string> {
  const socket = connect({ host, port });
  try {
    socket.write(`GET ${PAGE_PATH} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    return await text(socket);
  } finally {
    socket.destroy();
  }
}

function parse(response: string): { status: string; body: string } {
  const [head, ...rest] = response.split('\r\n\r\n');
  return { status: head?.split('\r\n')[0] ?? '', body: rest.join('\r\n\r\n') };
}
