import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { ClientResult } from '../../../lab/clients/client.js';
import { outsideCommand } from '../../../lab/demo/outside.js';
import type { Guest } from '../../../lab/lab.js';

/** Clients outside the guest at a leisurely pace. */
export interface Visitors extends Disposable {
  /** Ends them; gives what each of them saw. */
  stop(): Promise<ClientResult[]>;
}

/** Resolves once all have their first answers. */
export async function startVisitors(guest: Guest): Promise<Visitors> {
  const [file, ...args] = outsideCommand(guest, new URL('visitors-main.ts', import.meta.url), [guest.address]);
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const result: IteratorResult<string, unknown> = await said.next();
    if (result.done === true) throw new Error('the process with the visitors ended');
    return result.value;
  };
  await next();
  return {
    async stop() {
      child.stdin.end();
      return JSON.parse(await next()) as ClientResult[];
    },
    [Symbol.dispose]: () => child.kill('SIGKILL'),
  };
}
