import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { outsideCommand } from '../../../demo/outside.js';
import { LabError } from '../../../errors.js';
import type { Guest } from '../../../lab.js';
import { GUEST_MAC, TAP } from '../../../net/namespace.js';
import { NETWORK, type Service } from '../services.js';
import { EVERY_MS } from './fresh.js';
import { ProberEvent, type Assignment, type Progress } from './events.js';

const READY_ANSWERS = 20;
const READY_MS = 120_000;
/** A service that answered within this time is there. */
const RECENT_MS = 2000;
const STOP_MS = 20_000;

/** When the good answers of each service came. */
export type Answers = Readonly<Record<string, readonly number[]>>;

/** The prober at work. */
export class Prober implements Disposable {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #result: Promise<Answers>;
  #progress: readonly Progress[] = [];

  private constructor(guest: Guest, assignment: Assignment) {
    const [file, ...args] = outsideCommand(guest, new URL('main.ts', import.meta.url), [JSON.stringify(assignment)]);
    this.#child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    for (const source of [this.#child, this.#child.stdin]) source.on('error', () => undefined);
    this.#result = new Promise((resolve, reject) => {
      const lines = createInterface({ input: this.#child.stdout });
      lines.on('line', (line) => {
        const event = ProberEvent.parse(JSON.parse(line));
        if (event.event === 'progress') this.#progress = event.services;
        else resolve(event.answers);
      });
      lines.on('close', () => reject(new LabError('the prober has ended')));
    });
    this.#result.catch(() => undefined);
  }

  /** Watches the network and these services. Returns when all answer. */
  static async start(guest: Guest, services: readonly Service[]): Promise<Prober> {
    await levelTheRoad(guest);
    const prober = new Prober(guest, { host: guest.address, services: [NETWORK, ...services.map(({ name }) => name)], calmMs: CALM_MS[guest.record.accelerator] });
    try {
      await prober.until('every service answers', READY_MS, (each) => each.answers >= READY_ANSWERS);
      return prober;
    } catch (error) {
      prober[Symbol.dispose]();
      throw error;
    }
  }

  /** Waits until this is so of every service. */
  async until(what: string, timeoutMs: number, isSo: (service: Progress) => boolean): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (this.#progress.length === 0 || !this.#progress.every(isSo)) {
      if (this.#child.exitCode !== null) throw new LabError('the prober has ended');
      if (Date.now() > deadline) {
        const missing = this.#progress.filter((each) => !isSo(each)).map(({ name, last, trouble = 'nothing' }) => `${name}: ${last === 0 ? 'no good answer at all' : `its last good answer was ${((Date.now() - last) / 1000).toFixed(1)} s ago`}; what came last: ${trouble}`);
        throw new LabError(`after ${timeoutMs / 1000} s it is not so that ${what}\n${missing.join('\n')}`);
      }
      await sleep(100);
    }
  }

  /** Waits until the whole machine has been silent for so long, since the prober began, and every service answers again. */
  async untilBack(silentMs: number, timeoutMs: number): Promise<void> {
    await this.until('the machine was away and every service is back', timeoutMs, ({ name, last, longestMs }) => isRecent(last) && (name !== NETWORK || longestMs >= silentMs));
  }

  /** Waits until these services answer, or all. */
  async untilAnswering(timeoutMs: number, services?: readonly string[]): Promise<void> {
    await this.until('every service answers', timeoutMs, ({ name, last }) => services?.includes(name) === false || isRecent(last));
  }

  /** Ends it. */
  async stop(): Promise<Answers> {
    this.#child.stdin.end();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS);
    return await this.#result.finally(() => clearTimeout(timer));
  }

  [Symbol.dispose](): void {
    this.#child.kill('SIGKILL');
  }
}

/** While all is well, an emulated guest is not asked fifty times a second by everybody. */
const CALM_MS = { kvm: EVERY_MS, tcg: 100 };

const isRecent = (last: number): boolean => Date.now() - last < RECENT_MS;

/**
 * On the way to the guest nothing may wait for a timer that is longer than what is measured: the guest's link address does
 * not expire, as it would be asked for once a second; and what is sent while the guest is away is lost, as on a wire,
 * but for a moment's worth that the tap keeps.
 */
async function levelTheRoad(guest: Guest): Promise<void> {
  for (const command of [['neigh', 'replace', guest.address, 'lladdr', GUEST_MAC, 'nud', 'permanent', 'dev', TAP], ['link', 'set', TAP, 'txqueuelen', '50']]) {
    const [file = '', ...args] = guest.outside(['ip', ...command]);
    await execa(file, args);
  }
}
