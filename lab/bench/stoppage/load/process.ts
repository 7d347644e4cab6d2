import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { outsideCommand } from '../../../demo/outside.js';
import { LabError } from '../../../errors.js';
import type { Guest } from '../../../lab.js';
import type { RedisLoad } from '../cases.js';
import { LoadEvent, STOP_MS, type Load, type LoadResult } from './events.js';

/**
 * Eight clients, each of which asks 25 times a second: some 200 questions a second, at any speed of the service. An
 * emulated Redis can answer several times as many, so that there is room to be slower in before throughput is lost: as on
 * a server that is not overloaded to begin with. Clients that ask as fast as they can would measure the host's two
 * processors instead, which the clients, the emulator and whatever else runs there share.
 */
const CONNECTIONS = 8;
const EVERY_MS = 40;

/** The clients of Redis at work, in a process of their own outside the guest. */
export class LoadProcess implements Disposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  private constructor(guest: Guest, { mib, rewritten }: RedisLoad) {
    const load: Load = { host: guest.address, mib, rewritten, connections: CONNECTIONS, everyMs: EVERY_MS };
    const [file, ...args] = outsideCommand(guest, new URL('main.ts', import.meta.url), [JSON.stringify(load)]);
    this.#child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    // Its end says what is to be said.
    for (const source of [this.#child, this.#child.stdin]) source.on('error', () => undefined);
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** Returns when Redis is filled, and the clients ask. */
  static async start(guest: Guest, redis: RedisLoad): Promise<LoadProcess> {
    const load = new LoadProcess(guest, redis);
    await load.#next('ready');
    return load;
  }

  /** Ends them. Fails when a connection was lost since they began, or an answer was wrong. */
  async stop(): Promise<LoadResult> {
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    try {
      return await this.#next('result');
    } finally {
      clearTimeout(timer);
    }
  }

  async #next<Name extends LoadEvent['event']>(name: Name): Promise<Extract<LoadEvent, { event: Name }>> {
    const line = await this.#lines.next();
    if (line.done === true) throw new LabError('the clients of Redis have ended');
    const event = LoadEvent.parse(JSON.parse(line.value));
    if (event.event === 'broken') throw new LabError(`the clients of Redis: ${event.why}`);
    if (event.event !== name) throw new LabError(`the clients of Redis said ${event.event} instead of ${name}`);
    return event as Extract<LoadEvent, { event: Name }>;
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }
}
