import { once } from 'node:events';
import { WebSocket } from 'ws';
import type { Client } from './client.js';
import { Conversation, WrongAnswer } from './conversation.js';
import { Inbox } from './inbox.js';

/** Sends numbers; each comes back once, with a counter that the program holds in its memory. */
export const websocket: Client = {
  name: 'websocket',
  port: 8080,
  async start(target) {
    const socket = new WebSocket(`ws://${target.host}:${target.port}/ws`, { handshakeTimeout: 60_000 });
    const inbox = new Inbox<string>();
    let sent = 0;
    let counter: number | undefined;
    const conversation = new Conversation('websocket', target, {
      async ask() {
        nothingUnasked();
        sent++;
        socket.send(String(sent));
        const message = await inbox.take();
        const [echo, count] = message.split(' ').map(Number);
        if (echo !== sent || count === undefined) throw new WrongAnswer(`${sent} gave ${message}`);
        const expected = (counter ?? count - 1) + 1;
        counter = count;
        if (counter !== expected) throw new WrongAnswer(`the counter is ${counter} instead of ${expected}`);
      },
      async finish() {
        nothingUnasked();
      },
      close: () => socket.terminate(),
      detail: () => ({ counter: counter ?? 0 }),
    });
    function nothingUnasked(): void {
      for (const message of inbox.drain()) conversation.wrong(`unasked: ${message}`);
    }
    await once(socket, 'open');
    socket.on('message', (data: Buffer) => inbox.push(data.toString()));
    let reason = '';
    socket.on('error', (error) => (reason = error.message));
    socket.on('close', (code) => conversation.lose(reason || `closed with code ${code}`));
    return conversation.begin();
  },
};
