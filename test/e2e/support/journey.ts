import { setTimeout as sleep } from 'node:timers/promises';
import { makeOutcome, type Moment, type Outcome } from '../../../lab/demo/outcome.js';
import { readUptimes } from '../../../lab/demo/outside.js';
import { readUnits } from '../../../lab/demo/services.js';
import { nextTick, readTicks } from '../../../lab/demo/ticks.js';
import { upgrade, type Status } from '../../../lab/demo/upgrade.js';
import type { Guest } from '../../../lab/lab.js';
import { startClients } from './clients.ts';

/** The clients go on for so long after the upgrade. */
const AFTERWARDS_MS = 3000;

export interface Journey {
  readonly status: Status;
  /** By the boot ids of its kernels, which differ also between two boots of the same kernel. */
  readonly outcome: Outcome;
}

/** An upgrade under the eyes of clients outside, which begin before it and end after it. */
export async function journey(guest: Guest, to: string): Promise<Journey> {
  using clients = await startClients(guest);
  const [before, tick] = await Promise.all([look(guest), nextTick(guest)]);
  const status = await upgrade(guest, to);
  const [after] = await Promise.all([look(guest), sleep(AFTERWARDS_MS)]);
  const results = await clients.stop();
  return { status, outcome: makeOutcome(before, after, results, await readTicks(guest, tick)) };
}

async function look(guest: Guest): Promise<Moment> {
  const [kernel, units, uptimes] = await Promise.all([guest.bootId(), readUnits(guest), readUptimes(guest)]);
  return { kernel, units, uptimes };
}
