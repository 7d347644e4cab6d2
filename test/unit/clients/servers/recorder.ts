import { createInterface } from 'node:readline';
import { serve, type TestServer } from './server.js';
import { Troublemaker, type Trouble } from './trouble.js';

/** Counts, as the plain process does that has a file. */
export function recorderServer(trouble: Trouble): Promise<TestServer> {
  const troublemaker = new Troublemaker(trouble);
  let number = 41;
  return serve((socket) => {
    const lines = createInterface({ input: socket });
    lines.on('error', () => undefined);
    lines.on('line', () => {
      void troublemaker.answer(socket, (skip) => `${(number += skip ? 2 : 1)}\n`);
    });
  });
}
