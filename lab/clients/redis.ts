import { Redis } from 'ioredis';
import type { Client } from './client.js';
import { Conversation, WrongAnswer } from './conversation.js';

const KEY = 'segue:counter';
/** It asks ten times as often as the others: an emulated guest can do so for one. */
const INTERVAL_MS = 25;

/** Counts one up, again and again: each answer must be the one before plus one. */
export const redis: Client = {
  name: 'redis',
  port: 6379,
  async start(target) {
    const connection = new Redis({
      host: target.host,
      port: target.port,
      lazyConnect: true,
      enableOfflineQueue: false,
      enableReadyCheck: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: null,
      retryStrategy: null,
    });
    let last = 0;
    const conversation = new Conversation('redis', { intervalMs: INTERVAL_MS, ...target }, {
      async prepare() {
        await connection.connect();
        await connection.set(KEY, 0);
      },
      async ask() {
        const answer = await connection.incr(KEY);
        const expected = last + 1;
        last = answer;
        if (answer !== expected) throw new WrongAnswer(`INCR gave ${answer} instead of ${expected}`);
      },
      async finish() {
        const answer = await connection.get(KEY);
        if (answer !== String(last)) throw new WrongAnswer(`GET gave ${answer} instead of ${last}`);
      },
      close: () => connection.disconnect(),
      detail: () => ({ counter: last }),
    });
    let reason = 'connection closed';
    connection.on('error', (error: NodeJS.ErrnoException) => {
      // Errors of the socket are followed by its end; all others are about an answer nobody asked for.
      if (error.syscall === undefined) conversation.wrong(error.message);
      else reason = error.message;
    });
    connection.on('end', () => conversation.lose(reason));
    return conversation.begin();
  },
};
