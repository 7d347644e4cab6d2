import { setTimeout as sleep } from 'node:timers/promises';
import {
  DEFAULT_INTERVAL_MS,
  DEFAULT_PATIENCE_MS,
  type ClientResult,
  type Progress,
  type Running,
  type Target,
} from './client.js';
import { Tally } from './tally.js';

/** An answer that came, over a connection that is well, but is not the right one. */
export class WrongAnswer extends Error {}

/** What a client does with its connection. All may throw: {@link WrongAnswer}, or anything else if it is lost. */
export interface Steps {
  /** Connects, and makes the server ready. Nothing that happens here is counted: the client does not start. */
  prepare?(): Promise<void>;
  /** One operation: ask, wait for the answer, check it. */
  ask(): Promise<void>;
  /** The last checks, while the connection still stands. */
  finish?(): Promise<void>;
  close(): void | Promise<void>;
  detail?(): Record<string, string | number>;
}

/** So many answers must be in before a client says it is ready. */
const FIRST_ANSWERS = 3;

/**
 * One operation after another over one connection, until it is told to stop or the connection is gone.
 *
 *     talking ── stop() ──> stopping ── finish ──> over
 *        └────── lose(), fail() ─────────────────> over
 */
export class Conversation implements Running {
  readonly #tally: Tally;
  readonly #steps: Steps;
  readonly #intervalMs: number;
  readonly #patienceMs: number;
  #state: 'talking' | 'stopping' | 'over' = 'talking';
  #end: () => void = () => undefined;
  /** Wakes whoever waits for an answer that cannot come any more. */
  readonly #ended: Promise<void>;
  #talk: Promise<void> = Promise.resolve();
  #stopped: Promise<ClientResult> | undefined;

  constructor(name: string, target: Target, steps: Steps) {
    this.#tally = new Tally(name);
    this.#steps = steps;
    this.#intervalMs = target.intervalMs ?? DEFAULT_INTERVAL_MS;
    this.#patienceMs = target.patienceMs ?? DEFAULT_PATIENCE_MS;
    this.#ended = new Promise((resolve) => (this.#end = resolve));
  }

  /** Starts to talk; resolves when the first answers are in. */
  async begin(): Promise<this> {
    const { prepare } = this.#steps;
    if (prepare === undefined || (await this.#attempt(() => prepare()))) {
      await new Promise<void>((reached) => {
        this.#talk = this.#askOn(reached);
        void this.#ended.then(reached);
      });
    }
    const { answers, messages } = this.#tally;
    if (answers >= FIRST_ANSWERS) return this;
    this.#finish();
    await this.#steps.close();
    throw new Error(messages.join('; '));
  }

  /** The connection is gone. Counts once, however many ways there are to notice. */
  lose(why: string): void {
    if (this.#isOver()) return;
    this.#tally.lose(why);
    this.#finish();
  }

  /** Something was wrong, and there is no point in going on. */
  fail(why: string): void {
    this.wrong(why);
    this.#finish();
  }

  /** Something was wrong; the conversation goes on. */
  wrong(why: string): void {
    if (!this.#isOver()) this.#tally.error(why);
  }

  progress(): Progress {
    return this.#tally.progress();
  }

  stop(): Promise<ClientResult> {
    return (this.#stopped ??= this.#stop());
  }

  async #stop(): Promise<ClientResult> {
    if (this.#state === 'talking') this.#state = 'stopping';
    await this.#talk;
    const { finish } = this.#steps;
    if (finish !== undefined && !this.#isOver()) await this.#attempt(() => finish());
    this.#finish();
    await this.#steps.close();
    return this.#tally.result(this.#steps.detail?.());
  }

  async #askOn(reached: () => void): Promise<void> {
    while (this.#state === 'talking') {
      if (await this.#attempt(() => this.#steps.ask())) {
        this.#tally.answer();
        if (this.#tally.answers === FIRST_ANSWERS) reached();
      }
      if (this.#intervalMs > 0) await sleep(this.#intervalMs);
    }
  }

  /** True if it came to an end as it should. */
  async #attempt(step: () => Promise<void>): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const impatience = new Promise<never>((_, reject) => {
      const seconds = this.#patienceMs / 1000;
      timer = setTimeout(() => reject(new Error(`no answer for ${seconds} s`)), this.#patienceMs);
    });
    try {
      const outcome = await Promise.race([step().then(() => true), this.#ended.then(() => false), impatience]);
      return outcome && !this.#isOver();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (error instanceof WrongAnswer) this.wrong(why);
      else this.lose(why);
      return false;
    } finally {
      clearTimeout(timer);
    }
  }

  #isOver(): boolean {
    return this.#state === 'over';
  }

  #finish(): void {
    this.#state = 'over';
    this.#end();
  }
}
