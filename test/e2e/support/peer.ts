import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Guest } from '../../../lab/lab.js';

/** A client outside the guest with one connection, on which it is silent until it is told what to say. */
export interface Peer extends Disposable {
  /** Sends a line; gives the next line that comes. */
  ask(line: string): Promise<string>;
}

export function connectPeer(guest: Guest, port: number): Peer {
  const [file = '', ...args] = guest.outside(['bash', '-c', 'exec 7<>"/dev/tcp/$0/$1" || exit; cat <&7 & cat >&7; kill $!', guest.address, port.toString()]);
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask(line) {
      child.stdin.write(`${line}\r\n`);
      const result: IteratorResult<string, unknown> = await said.next();
      if (result.done === true) throw new Error(`the connection to port ${port.toString()} was closed`);
      return result.value;
    },
    [Symbol.dispose]: () => void child.stdin.end(),
  };
}
