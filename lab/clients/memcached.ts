import type { Client } from './client.js';
import { Conversation, WrongAnswer } from './conversation.js';
import { LineSocket } from './line-socket.js';

const COUNTER = 'segue_counter';
const VALUE = 'segue_value';

/** The text protocol over one plain socket: counts up, stores a value, reads it back. */
export const memcached: Client = {
  name: 'memcached',
  port: 11211,
  async start(target) {
    const socket = await LineSocket.connect(target);
    let count = 0;
    let value = 0;

    async function converse(request: string, expected: readonly string[]): Promise<void> {
      for (const line of socket.lines.drain()) conversation.wrong(`unasked: ${line}`);
      socket.write(`${request}\r\n`);
      for (const want of expected) {
        const line = await socket.lines.take();
        if (line !== want) throw new WrongAnswer(`${request.split('\r\n')[0]} gave ${line} instead of ${want}`);
      }
    }
    const operations = [
      async function incr() {
        for (const line of socket.lines.drain()) conversation.wrong(`unasked: ${line}`);
        socket.write(`incr ${COUNTER} 1\r\n`);
        const line = await socket.lines.take();
        const expected = count + 1;
        count = /^\d+$/.test(line) ? Number(line) : expected;
        if (line !== String(expected)) throw new WrongAnswer(`incr gave ${line} instead of ${expected}`);
      },
      async function set() {
        const text = String(++value);
        await converse(`set ${VALUE} 0 0 ${text.length}\r\n${text}`, ['STORED']);
      },
      async function get() {
        const text = String(value);
        await converse(`get ${VALUE}`, [`VALUE ${VALUE} 0 ${text.length}`, text, 'END']);
      },
    ];
    let turn = 0;
    const conversation = new Conversation('memcached', target, {
      ask: () => operations[turn++ % operations.length]!(),
      async finish() {
        await converse(`get ${COUNTER}`, [`VALUE ${COUNTER} 0 ${String(count).length}`, String(count), 'END']);
      },
      close: () => socket.close(),
    });
    socket.onClose((why) => conversation.lose(why));
    await converse(`set ${COUNTER} 0 0 1\r\n0`, ['STORED']);
    return conversation.begin();
  },
};
