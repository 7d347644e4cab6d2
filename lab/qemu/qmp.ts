import { createConnection, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { LabError } from '../errors.js';

const Message = z.union([
  z.object({ QMP: z.unknown() }),
  z.object({ return: z.unknown() }),
  z.object({ error: z.object({ class: z.string(), desc: z.string() }) }),
  z.object({ event: z.string() }),
]);

/** A connection to QEMU's monitor (QMP): one command at a time, answered in order. */
export class Qmp implements Disposable {
  readonly #socket: Socket;
  readonly #waiting: { resolve: (value: unknown) => void; reject: (error: Error) => void }[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    const lines = createInterface({ input: socket }).on('line', (line) => this.#receive(line));
    // QEMU may end before it has said good-bye; 'close' follows and tells whoever waits.
    lines.on('error', () => undefined);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      for (const { reject } of this.#waiting.splice(0)) reject(new LabError('QEMU closed its monitor'));
    });
  }

  /** Connects; waits for the socket while `alive` says that QEMU is there to make it. */
  static async connect(path: string, alive: () => boolean): Promise<Qmp> {
    for (;;) {
      const socket = createConnection(path);
      const failure = await new Promise<Error | undefined>((resolve) => {
        socket.once('connect', () => resolve(undefined));
        socket.once('error', resolve);
      });
      if (failure === undefined) {
        const qmp = new Qmp(socket);
        await qmp.execute('qmp_capabilities');
        return qmp;
      }
      if (!alive()) throw new LabError('QEMU has no monitor: it is not running', { cause: failure });
      await sleep(20);
    }
  }

  execute(command: string, args: Record<string, unknown> = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) {
        reject(new LabError('QEMU closed its monitor'));
        return;
      }
      this.#waiting.push({
        resolve,
        reject: (error) => reject(new LabError(`QEMU refused ${command}`, { cause: error })),
      });
      this.#socket.write(`${JSON.stringify({ execute: command, arguments: args })}\n`);
    });
  }

  #receive(line: string): void {
    const message = Message.parse(JSON.parse(line));
    if ('return' in message) this.#waiting.shift()?.resolve(message.return);
    else if ('error' in message) this.#waiting.shift()?.reject(new Error(message.error.desc));
    // The greeting and events are not answers to anything.
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }
}

const MigrationStatus = z.object({ status: z.string().optional(), 'error-desc': z.string().optional() });

/** RAM that is a file of its own is neither written into the stream of the devices nor expected there. */
const WITHOUT_RAM = { capabilities: [{ capability: 'x-ignore-shared', state: true }] };

/** Stops a guest and writes its devices to a file, to go on from there later. */
export async function saveDevices(qmp: Qmp, file: string): Promise<void> {
  await qmp.execute('stop');
  await qmp.execute('migrate-set-capabilities', WITHOUT_RAM);
  // The default limit is meant for networks.
  await qmp.execute('migrate-set-parameters', { 'max-bandwidth': 2 ** 40 });
  await qmp.execute('migrate', { uri: `file:${file}` });
  await migrationDone(qmp, 'save');
}

/** Gives saved devices to a guest that waits for them; it then runs. */
export async function resumeDevices(qmp: Qmp, file: string): Promise<void> {
  await qmp.execute('migrate-set-capabilities', WITHOUT_RAM);
  await qmp.execute('migrate-incoming', { uri: `file:${file}` });
  await migrationDone(qmp, 'resume');
  // It was saved standing still, and would go on standing still.
  await qmp.execute('cont');
}

async function migrationDone(qmp: Qmp, what: string): Promise<void> {
  for (;;) {
    const { status, 'error-desc': why } = MigrationStatus.parse(await qmp.execute('query-migrate'));
    if (status === 'completed') return;
    if (status === 'failed' || status === 'cancelled') {
      throw new LabError(`QEMU could not ${what} the state of the guest: ${why ?? status}`);
    }
    await sleep(20);
  }
}
