import { serve, type TestServer } from './server.js';
import { Troublemaker, type Trouble } from './trouble.js';

/** As much of Redis as the client uses. */
export function redisServer(trouble: Trouble): Promise<TestServer> {
  const troublemaker = new Troublemaker(trouble);
  let counter = 0;
  return serve((socket) => {
    let received = '';
    socket.on('data', (data) => {
      received += data.toString();
      for (let command = firstCommand(received); command !== undefined; command = firstCommand(received)) {
        received = received.slice(command.length);
        answer(command.words);
      }
    });
    function answer([verb, , value]: readonly string[]): void {
      switch (verb?.toLowerCase()) {
        case 'incr':
          return void troublemaker.answer(socket, (skip) => `:${(counter += skip ? 2 : 1)}\r\n`);
        case 'set':
          counter = Number(value);
          return void socket.write('+OK\r\n');
        case 'get':
          return void socket.write(`$${String(counter).length}\r\n${counter}\r\n`);
        case 'hello':
          return void socket.write('%1\r\n$5\r\nproto\r\n:3\r\n');
        default:
          socket.write('+OK\r\n');
      }
    }
  });
}

/** An array of bulk strings at the beginning of the text, once it is complete. */
function firstCommand(text: string): { words: string[]; length: number } | undefined {
  const count = Number(/^\*(\d+)\r\n/.exec(text)?.[1] ?? Number.NaN);
  const parts = text.split('\r\n').slice(0, 2 * count + 1);
  const complete = parts.length === 2 * count + 1 && text.length >= parts.join('\r\n').length + 2;
  if (!complete) return undefined;
  return { words: parts.filter((_, index) => index > 0 && index % 2 === 0), length: parts.join('\r\n').length + 2 };
}
