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

    /** Sends a request; takes as many lines as a right answer has. */
    async function converse(request: string, lines: number): Promise<string> {
      const unasked = socket.lines.drain();
      if (unasked.length > 0) conversation.wrong(`unasked: ${unasked.join(' ')}`);
      socket.write(`${request}\r\n`);
      const answer = [];
      while (answer.length < lines) answer.push(await socket.lines.take());
      return answer.join(' ');
    }
    async function expect(request: string, expected: readonly string[]): Promise<void> {
      const answer = await converse(request, expected.length);
      if (answer !== expected.join(' ')) throw new WrongAnswer(`${request.split('\r\n')[0]} gave ${answer}`);
    }
    async function increment(): Promise<void> {
      const answer = await converse(`incr ${COUNTER} 1`, 1);
      const expected = count + 1;
      count = /^\d+$/.test(answer) ? Number(answer) : expected;
      if (answer !== String(expected)) throw new WrongAnswer(`incr gave ${answer} instead of ${expected}`);
    }
    async function store(): Promise<void> {
      const text = String(++value);
      await expect(`set ${VALUE} 0 0 ${text.length}\r\n${text}`, ['STORED']);
    }
    async function readBack(key: string, number: number): Promise<void> {
      const text = String(number);
      await expect(`get ${key}`, [`VALUE ${key} 0 ${text.length}`, text, 'END']);
    }
    const turns = inTurn([increment, store, () => readBack(VALUE, value)]);
    const conversation = new Conversation('memcached', target, {
      prepare: () => expect(`set ${COUNTER} 0 0 1\r\n0`, ['STORED']),
      ask: () => turns.next().value(),
      finish: () => readBack(COUNTER, count),
      close: () => socket.close(),
    });
    socket.onClose((why) => conversation.lose(why));
    return conversation.begin();
  },
};

function* inTurn<T>(items: readonly T[]): Generator<T, never> {
  for (;;) yield* items;
}
