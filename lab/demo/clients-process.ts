import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { CLIENTS } from '../clients/all.js';
import { ClientEvent, type Assignment, type ReportedResult } from '../clients/events.js';
import { LabError } from '../errors.js';
import type { Guest } from '../guest/guest.js';
import { outsideCommand } from './outside.js';

/** A client that waits longer than this is in the pause: emulated guests stutter. */
const PAUSED_MS = 2000;

/** What happens to the clients, for whoever watches. */
export interface Watcher {
  paused(clients: readonly string[]): void;
  resumed(clients: readonly string[]): void;
}

export interface ClientsOptions {
  /** The names of those that are to be at work; all, if nothing is said. */
  readonly names?: readonly string[];
  /** See Target. */
  readonly intervalMs?: number;
  /** Of the client with this name. */
  readonly patienceMs?: (name: string) => number;
}

/** Clients at work, in a process of their own outside the guest. */
export class ClientsProcess implements Disposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #watcher: Watcher;
  /** Until all clients have their first answers. */
  readonly ready: Promise<void>;
  readonly #result: Promise<ReportedResult[]>;
  #paused: readonly string[] = [];

  constructor(guest: Guest, watcher: Watcher, { names = CLIENTS.map(({ name }) => name), patienceMs, ...pace }: ClientsOptions = {}) {
    const assignment: Assignment = { host: guest.address, clients: names.map((name) => ({ name, ...(patienceMs === undefined ? {} : { patienceMs: patienceMs(name) }) })), ...pace };
    const program = new URL('../clients/main.ts', import.meta.url);
    const [file, ...args] = outsideCommand(guest, program, [JSON.stringify(assignment)]);
    this.#watcher = watcher;
    this.#child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const { promise: ready, resolve: isReady, reject: isNotReady } = deferred<void>();
    const { promise: result, resolve: hasResult, reject: hasNone } = deferred<ReportedResult[]>();
    this.ready = ready;
    this.#result = result;

    const end = (error: Error): void => {
      isNotReady(error);
      hasNone(error);
    };
    this.#child.on('error', end);
    // Its writes fail when the process is gone, which its end tells better.
    this.#child.stdin.on('error', () => undefined);
    const lines = createInterface({ input: this.#child.stdout });
    lines.on('line', (line) => {
      const event = ClientEvent.parse(JSON.parse(line));
      if (event.event === 'all-ready') isReady();
      else if (event.event === 'progress') this.#watch(event.clients);
      else if (event.event === 'result') hasResult(event.results);
      else if (event.event === 'unusable') end(new LabError(`client ${event.client}: ${event.message}`));
    });
    lines.on('close', () => end(new LabError('the process with the clients ended')));
  }

  /** Ends them all. A client whose answer is still on its way is waited for. */
  async stop(): Promise<ReportedResult[]> {
    this.#child.stdin.write('stop\n');
    return await this.#result;
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }

  #watch(clients: readonly { name: string; waitingMs: number }[]): void {
    const paused = clients.filter(({ waitingMs }) => waitingMs > PAUSED_MS).map(({ name }) => name);
    const begun = paused.filter((name) => !this.#paused.includes(name));
    const ended = this.#paused.filter((name) => !paused.includes(name));
    this.#paused = paused;
    if (begun.length > 0) this.#watcher.paused(begun);
    if (ended.length > 0) this.#watcher.resumed(ended);
  }
}

function deferred<T>() {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((...functions) => ([resolve, reject] = functions));
  // Whoever waits hears of it; nobody may be waiting yet.
  promise.catch(() => undefined);
  return { promise, resolve, reject };
}
