import { EVERY_MS, type Pace } from './fresh.js';
import type { AnswerRecord } from './record.js';

/** A connection that is kept. Its questions fail when it is lost. */
export interface Session {
  ask(): Promise<void>;
  close(): void;
}

/** Opens one. */
export type Open = () => Promise<Session>;

/** Who has not answered for so long may be away: others try to get in. */
const SILENT_MS = 1000;
/** So often, and so many at a time: each costs the server a process or a thread. */
const LOGIN_EVERY_MS = 100;
const LOGINS = 5;
const LOGIN_LIMIT_MS = 20_000;

/**
 * Asks over one connection, every 20 ms or as the pace says. While that is silent, further ones are opened, in case it will never answer again;
 * the first that answers takes its place.
 */
export class KeptProbes implements Disposable {
  readonly #open: Open;
  readonly #record: AnswerRecord;
  readonly #now: () => number;
  readonly #pace: Pace;
  readonly #timers: readonly NodeJS.Timeout[];
  #session: Session | undefined;
  #asking = false;
  #askedAt = -Infinity;
  #heardAt = -Infinity;
  #logins = 0;
  #over = false;

  constructor(open: Open, record: AnswerRecord, pace: Pace, now: () => number) {
    this.#pace = pace;
    this.#open = open;
    this.#record = record;
    this.#now = now;
    this.#timers = [setInterval(() => void this.#ask(), EVERY_MS), setInterval(() => void this.#login(), LOGIN_EVERY_MS)];
  }

  async #ask(): Promise<void> {
    const session = this.#session;
    if (session === undefined || this.#asking || !this.#pace.isTime()) return;
    this.#asking = true;
    this.#askedAt = this.#now();
    const answered = await this.#heard(session);
    if (this.#session !== session) return;
    this.#asking = false;
    if (!answered) this.#take(undefined);
  }

  async #login(): Promise<void> {
    const begunAt = this.#now();
    if (begunAt - this.#heardAt < SILENT_MS || this.#logins >= LOGINS) return;
    this.#logins += 1;
    // One that hangs keeps no other out for longer than this, and may still come in.
    let counts = true;
    const leave = (): void => {
      if (counts) this.#logins -= 1;
      counts = false;
    };
    const timer = setTimeout(leave, LOGIN_LIMIT_MS);
    const session = await this.#open().catch((error: unknown) => {
      this.#record.bad(error);
      return undefined;
    });
    const answered = session !== undefined && (await this.#heard(session));
    clearTimeout(timer);
    leave();
    if (session === undefined) return;
    const stillSilent = this.#session === undefined || (this.#asking && this.#askedAt < begunAt);
    if (answered && stillSilent && !this.#over) this.#take(session);
    else session.close();
  }

  #take(session: Session | undefined): void {
    this.#session?.close();
    this.#session = session;
    this.#asking = false;
  }

  async #heard(session: Session): Promise<boolean> {
    try {
      await session.ask();
    } catch (error) {
      this.#record.bad(error);
      return false;
    }
    this.#heardAt = this.#now();
    this.#record.good();
    return true;
  }

  [Symbol.dispose](): void {
    this.#over = true;
    for (const timer of this.#timers) clearInterval(timer);
    this.#take(undefined);
  }
}
