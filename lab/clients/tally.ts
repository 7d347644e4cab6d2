import type { ClientResult, Gap, Progress } from './client.js';

const KEPT_MESSAGES = 5;
const KEPT_GAPS = 3;

/** Counts what one client saw. Times are from the monotonic clock, so that a clock that is set makes no pause. */
export class Tally {
  readonly #name: string;
  #answers = 0;
  #lost = 0;
  #errors = 0;
  #messages: string[] = [];
  #gaps: Gap[] = [];
  #lastAnswer: number | undefined;
  readonly #begin = performance.now();

  constructor(name: string) {
    this.#name = name;
  }

  get answers(): number {
    return this.#answers;
  }

  get messages(): readonly string[] {
    return this.#messages;
  }

  answer(): void {
    const now = performance.now();
    if (this.#lastAnswer !== undefined) this.#gap(now - this.#lastAnswer);
    this.#lastAnswer = now;
    this.#answers++;
  }

  error(why: string): void {
    this.#errors++;
    this.#keep(why);
  }

  lose(why: string): void {
    this.#lost++;
    this.#keep(why);
  }

  progress(): Progress {
    const { answers, lost, errors } = this.#counts();
    const waitingMs = Math.round(performance.now() - (this.#lastAnswer ?? this.#begin));
    return { name: this.#name, answers, lost, errors, waitingMs };
  }

  result(detail?: Record<string, string | number>): ClientResult {
    return {
      name: this.#name,
      ...this.#counts(),
      pauseMs: this.#gaps[0]?.ms ?? 0,
      longestGaps: this.#gaps,
      messages: this.#messages,
      ...(detail === undefined ? {} : { detail }),
    };
  }

  #counts() {
    return { answers: this.#answers, lost: this.#lost, errors: this.#errors };
  }

  #keep(why: string): void {
    if (this.#messages.length < KEPT_MESSAGES) this.#messages.push(why);
  }

  #gap(duration: number): void {
    const ms = Math.round(duration);
    const shortest = this.#gaps.at(-1);
    if (this.#gaps.length >= KEPT_GAPS && shortest !== undefined && ms <= shortest.ms) return;
    this.#gaps.push({ startedAt: new Date(Date.now() - duration).toISOString(), ms });
    this.#gaps.sort((one, other) => other.ms - one.ms);
    this.#gaps.length = Math.min(this.#gaps.length, KEPT_GAPS);
  }
}
