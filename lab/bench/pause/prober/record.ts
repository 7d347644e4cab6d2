/** Takes down when the good answers of one service came. */
export class AnswerRecord {
  readonly answers: number[] = [];
  /** What went wrong last, for whoever asks why there is no answer. */
  trouble: string | undefined;
  #longestMs = 0;

  constructor(private readonly now: () => number) {}

  good(): void {
    const at = this.now();
    this.#longestMs = Math.max(this.#longestMs, at - (this.answers.at(-1) ?? at));
    this.answers.push(at);
  }

  bad(error: unknown): void {
    this.trouble = error instanceof Error ? error.message : String(error);
  }

  progress(): { answers: number; last: number; longestMs: number; trouble?: string } {
    return { answers: this.answers.length, last: this.answers.at(-1) ?? 0, longestMs: this.#longestMs, ...(this.trouble === undefined ? {} : { trouble: this.trouble }) };
  }
}
