import { createInterface } from 'node:readline';
import { serve, type TestServer } from './server.js';
import { Troublemaker, type Trouble } from './trouble.js';

/** As much of memcached as the client uses. */
export function memcachedServer(trouble: Trouble): Promise<TestServer> {
  const troublemaker = new Troublemaker(trouble);
  const values = new Map<string, string>();
  return serve((socket) => {
    let storing: string | undefined;
    const lines = createInterface({ input: socket });
    lines.on('error', () => undefined);
    lines.on('line', (line) => {
      const [verb, key = ''] = line.split(' ');
      if (storing !== undefined) {
        values.set(storing, line);
        storing = undefined;
        socket.write('STORED\r\n');
      } else if (verb === 'set') {
        storing = key;
      } else if (verb === 'get') {
        const value = values.get(key) ?? '';
        socket.write(`VALUE ${key} 0 ${value.length}\r\n${value}\r\nEND\r\n`);
      } else if (verb === 'incr') {
        void troublemaker.answer(socket, (skip) => {
          values.set(key, String(Number(values.get(key)) + (skip ? 2 : 1)));
          return `${values.get(key)}\r\n`;
        });
      }
    });
  });
}
