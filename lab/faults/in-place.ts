import { z } from 'zod';
import { LabError } from '../errors.js';
import { attempt, type Moment } from '../inside/attempt.js';
import { readTraces } from '../inside/traces.js';
import { acknowledgedIn, missing, readHeld } from './acknowledged.js';
import type { Context } from './context.js';
import { leftBehind, lostByClients, lostUnits } from './losses.js';
import type { Trial } from './outcome.js';
import { PATTERNS } from './prepared.js';
import { Server } from './server.js';
import { afterStrike, parseStruck, strikeScript, type Strike } from './strike.js';

/** A strike that an upgrade does not survive, and everything else does. */
export interface InPlace extends Strike {
  readonly what: string;
  readonly moment: Moment;
}

/** All is to run again within this time, milliseconds; an emulated machine is some twenty times slower than a real one. */
const AGAIN_MS = { kvm: 1000, tcg: 20_000 } as const;

const Status = z.object({ id: z.string(), state: z.string(), why: z.string().optional() });

/** Trials one after the other in one guest; in a fresh one after a loss, of which something may be left. */
export class Place implements AsyncDisposable {
  readonly #context: Context;
  readonly #fault: string;
  #server: Server | undefined;

  constructor(context: Context, fault: string) {
    this.#context = context;
    this.#fault = fault;
  }

  async server(): Promise<Server> {
    if (this.#server !== undefined) return this.#server;
    const { lab, state } = this.#context;
    this.#server = await Server.start(lab, state);
    await this.#server.refuseJump();
    return this.#server;
  }

  /** One trial, or none if it is not wanted. */
  async *try(trial: InPlace): AsyncGenerator<Trial> {
    const begin = performance.now();
    const { what } = trial;
    if (!this.#context.wanted(what)) return;
    let outcome: Omit<Trial, 'fault' | 'what' | 'tookMs'>;
    try {
      outcome = await tryIn(await this.server(), trial);
    } catch (error) {
      if (!(error instanceof LabError)) throw error;
      outcome = { struck: true, lost: [error.message] };
    }
    if (outcome.lost.length > 0) await this[Symbol.asyncDispose]();
    yield { fault: this.#fault, what, ...outcome, tookMs: Math.round(performance.now() - begin) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]();
    this.#server = undefined;
  }
}

async function tryIn(server: Server, { moment, ...strike }: InPlace): Promise<Omit<Trial, 'fault' | 'what' | 'tookMs'>> {
  const { guest, units, bootId } = server;
  using clients = await server.startClients();
  const { stdout } = await attempt(guest, moment, strikeScript(strike));
  await guest.exec('systemctl reset-failed "segue-*"', { reject: false });
  const results = await clients.stop();
  const acknowledged = acknowledgedIn(results);
  const [traces, held, status, givingUp, boot] = await Promise.all([
    readTraces(guest, PATTERNS),
    readHeld(guest, acknowledged),
    guest.exec('segue status --json', { reject: false }),
    guest.exec('grep -h \'"event":"giving-up"\' "$(ls -td /var/lib/segue/upgrades/*/ | head -n 1)journal.ndjson" | head -n 1', { reject: false }),
    guest.bootId(),
  ]);
  const struck = parseStruck(stdout);
  const times = struck === undefined ? undefined : afterStrike(struck, givingUpAt(givingUp.stdout));
  const { state, why } = Status.parse(JSON.parse(status.stdout));
  const limit = AGAIN_MS[guest.record.accelerator];
  const lost = [
    ...lostUnits(units, traces.units),
    ...leftBehind(traces),
    ...missing(acknowledged, held),
    ...lostByClients(results),
    ...(boot === bootId ? [] : ['the machine has booted']),
    ...(state === 'given-up' ? [] : [`the upgrade is ${state}${why === undefined ? '' : `: ${why}`}`]),
    ...(times === undefined || times.stillMs <= limit ? [] : [`tasks stood still for ${times.stillMs} ms`]),
    ...(times === undefined || times.lockedMs <= limit ? [] : [`sockets were locked for ${times.lockedMs} ms`]),
  ];
  return { struck: struck !== undefined, lost, ...times };
}

function givingUpAt(line: string): number | undefined {
  const event = z.object({ at: z.string() }).safeParse(JSON.parse(line === '' ? 'null' : line));
  return event.success ? Date.parse(event.data.at) : undefined;
}
