import { connect, type Socket } from 'node:net';
import type { Random } from '../../../lab/random.js';

/** What became of a stream, once its sender has sent the last byte. */
export interface Verdict {
  readonly port: number;
  /** Of the sender's end. */
  readonly localPort: number;
  /** Upgrades, given up or not, that it lived through. */
  readonly parks: number;
  /** It came while an upgrade was about to park its receiver, or had. */
  readonly late: boolean;
  readonly sent: number;
  /** Bytes that the receiver read, and the first one that was not as it should be. */
  readonly read?: number;
  readonly wrong?: number;
  readonly error?: string;
  /** From its last byte to the verdict. */
  readonly tookMs: number;
}

export const HEADER_BYTES = 4;
/** A receiver in an emulated guest has to read it all. */
const BUSY_BYTES = 2 ** 19;
const HOSE_BYTES = 4 * 2 ** 20;

/** One connection with numbered bytes, in bursts of random size at random moments. */
export class Sender {
  readonly verdict: Promise<Verdict>;
  readonly #random: Random;
  readonly #socket: Socket;
  readonly #numbers: Buffer;
  readonly #begin: number;
  /** The time between two bursts, now and then, and around a park. */
  readonly #calmMs: number;
  readonly #busyMs: number;
  readonly #largestBurst: number;
  /** Around a park it sends at full speed. */
  readonly #hose: boolean;
  #conduct: 'sleeps' | 'ends' | 'wakes' = 'sleeps';
  #busyUntil = 0;
  #budget = 0;
  #sent = 0;
  #parks = 0;
  #timer: NodeJS.Timeout | undefined;
  #endedAt: number | undefined;
  readonly connected: Promise<boolean>;

  /** `numbers` is the block of all streams, twice. */
  constructor(target: { host: string; port: number; late: boolean }, numbers: Buffer, random: Random) {
    this.#random = random;
    this.#numbers = numbers;
    this.#begin = random.whole(numbers.length / 2);
    this.#calmMs = random.scaled(5000, 120_000);
    this.#busyMs = random.scaled(50, 5000);
    this.#largestBurst = random.scaled(16, 2 ** 18);
    this.#hose = random.chance(0.03);

    const socket = connect({ host: target.host, port: target.port, allowHalfOpen: true, noDelay: true });
    this.#socket = socket;
    let answer = '';
    let error: string | undefined;
    let localPort = 0;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => (answer += text));
    socket.on('error', (problem) => (error = problem.message));
    socket.on('end', () => {
      if (!this.ended) error ??= 'the receiver ended it';
      socket.destroy();
    });
    socket.on('connect', () => (localPort = socket.localPort ?? 0));
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32BE(this.#begin);
    socket.write(header);
    this.connected = new Promise((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('close', () => resolve(false));
    });
    this.verdict = new Promise((resolve) => {
      socket.once('close', () => {
        clearTimeout(this.#timer);
        const { port, late } = target;
        const [read, wrong] = /^(\d+) (-?\d+)\n$/.exec(answer)?.slice(1).map(Number) ?? [];
        if (read === undefined) error ??= `no verdict: '${answer}'`;
        resolve({ port, late, localPort, parks: this.#parks, sent: this.#sent, tookMs: performance.now() - (this.#endedAt ?? NaN), ...(read === undefined ? {} : { read, wrong: wrong ?? NaN }), ...(error === undefined ? {} : { error }) });
      });
    });
  }

  /** Now and then a burst. */
  calm(): void {
    this.#busyUntil = 0;
    this.#next();
  }

  /** An upgrade begins, in which it is silent, or sends its last byte, or is now silent and now not. */
  upgrade(): void {
    this.#parks += 1;
    this.#budget = this.#hose ? HOSE_BYTES : BUSY_BYTES;
    this.#conduct = this.#random.pick(['sleeps', 'sleeps', 'ends', 'wakes', 'wakes', 'wakes', 'wakes', 'wakes', 'wakes', 'wakes']);
    clearTimeout(this.#timer);
  }

  /** The upgrade takes its next step: a reason to begin, or not, within these milliseconds. */
  step(withinMs: number): void {
    const moment = this.#random.between(0, withinMs);
    const ends = this.#conduct === 'ends' && this.#random.chance(0.1);
    const wakes = this.#conduct === 'wakes' && this.#random.chance(0.4);
    if (this.ended || (!ends && !wakes)) return;
    clearTimeout(this.#timer);
    this.#busyUntil = performance.now() + withinMs;
    this.#timer = setTimeout(() => (ends ? this.end() : this.#burst()), moment);
  }

  /** Sends its last byte; the verdict follows. */
  end(): void {
    if (this.ended) return;
    clearTimeout(this.#timer);
    if (this.#random.chance(0.5)) this.#write(this.#burstSize());
    this.#endedAt = performance.now();
    this.#socket.end();
  }

  /** From now on it waits for the verdict only so long. */
  lastCall(patienceMs: number): void {
    const timer = setTimeout(() => this.#socket.destroy(new Error(`no verdict within ${patienceMs} ms`)), patienceMs);
    this.#socket.once('close', () => clearTimeout(timer));
  }

  get ended(): boolean {
    return this.#endedAt !== undefined;
  }

  #next(): void {
    clearTimeout(this.#timer);
    if (this.ended) return;
    const busy = performance.now() < this.#busyUntil;
    // In an upgrade it waits for the next step.
    if (!busy && this.#busyUntil > 0) return;
    // The times between independent events.
    const delay = -Math.log(1 - this.#random.next()) * (busy ? this.#busyMs : this.#calmMs);
    this.#timer = setTimeout(() => this.#burst(), delay);
  }

  #burst(): void {
    if (this.ended) return;
    const busy = performance.now() < this.#busyUntil;
    if ((busy && this.#budget <= 0) || this.#socket.writableNeedDrain) {
      this.#next();
      return;
    }
    const bytes = busy ? this.#burstSize() : Math.min(this.#burstSize(), 1024);
    this.#budget -= bytes;
    if (!busy || !this.#hose) {
      this.#write(bytes);
      this.#next();
      return;
    }
    this.#write(2 ** 16, () => this.#burst());
  }

  #burstSize(): number {
    return Math.round(this.#random.scaled(1, this.#largestBurst));
  }

  #write(bytes: number, written?: () => void): void {
    const size = this.#numbers.length / 2;
    for (let left = bytes; left > 0; ) {
      const at = (this.#begin + this.#sent) % size;
      const piece = Math.min(left, size);
      left -= piece;
      this.#sent += piece;
      this.#socket.write(this.#numbers.subarray(at, at + piece), left === 0 ? written : undefined);
    }
  }
}
