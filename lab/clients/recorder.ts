import type { Client } from './client.js';
import { Conversation, WrongAnswer } from './conversation.js';
import { LineSocket } from './line-socket.js';

/** Has a plain process write numbers into its file: each is acknowledged when it is on disk, and is the one before plus one. */
export const recorder: Client = {
  name: 'recorder',
  port: 7070,
  async start(target) {
    const socket = await LineSocket.connect(target);
    let last: number | undefined;
    const conversation = new Conversation('recorder', target, {
      async ask() {
        nothingUnasked();
        socket.write('next\n');
        const answer = await socket.lines.take();
        const expected = last === undefined ? Number(answer) : last + 1;
        if (/^\d+$/.test(answer)) last = Number(answer);
        if (answer !== String(expected)) throw new WrongAnswer(`${answer} was recorded instead of ${expected}`);
      },
      async finish() {
        nothingUnasked();
      },
      close: () => socket.close(),
      detail: () => ({ recorded: last ?? 0 }),
    });
    function nothingUnasked(): void {
      for (const line of socket.lines.drain()) conversation.wrong(`unasked: ${line}`);
    }
    socket.onClose((why) => conversation.lose(why));
    return conversation.begin();
  },
};
