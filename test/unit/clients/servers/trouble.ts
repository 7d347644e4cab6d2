import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a server does wrong, once. */
export type Trouble = 'nothing' | 'doubles an answer' | 'skips a number' | 'resets the connection' | 'pauses 2 s';

const PAUSE_MS = 2000;
/** After the clients' first answers. */
const AT_ANSWER = 6;

/** Answers rightly but for one time. */
export class Troublemaker {
  readonly #trouble: Trouble;
  #answers = 0;

  constructor(trouble: Trouble) {
    this.#trouble = trouble;
  }

  /** Sends an answer on a connection; `make` is told whether this is the time to skip a number. */
  async answer(socket: Socket, make: (skip: boolean) => string | Buffer, send = write): Promise<void> {
    const trouble = this.next();
    if (trouble === 'resets the connection') return void socket.resetAndDestroy();
    if (trouble === 'pauses 2 s') await sleep(PAUSE_MS);
    const answer = make(trouble === 'skips a number');
    send(socket, answer);
    if (trouble === 'doubles an answer') send(socket, answer);
  }

  /** What is to go wrong with this answer. */
  next(): Trouble {
    this.#answers++;
    return this.#answers === AT_ANSWER ? this.#trouble : 'nothing';
  }
}

function write(socket: Socket, answer: string | Buffer): void {
  socket.write(answer);
}
