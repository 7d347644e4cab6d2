import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Inbox } from './inbox.js';

/** A TCP connection on which lines come and go. */
export class LineSocket {
  readonly lines: Inbox<string>;
  readonly #socket: Socket;

  static async connect(target: { host: string; port: number }): Promise<LineSocket> {
    const socket = connect({ host: target.host, port: target.port });
    await once(socket, 'connect');
    return new LineSocket(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.lines = Inbox.ofLines(socket);
  }

  write(text: string): void {
    this.#socket.write(text);
  }

  /** Tells when the connection is gone, and why. */
  onClose(tell: (why: string) => void): void {
    let reason = 'connection closed by the server';
    this.#socket.on('error', (error) => (reason = error.message));
    this.#socket.on('end', () => tell(reason));
    this.#socket.on('close', () => tell(reason));
  }

  close(): void {
    this.#socket.destroy();
  }
}
