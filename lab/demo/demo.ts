import { setTimeout as sleep } from 'node:timers/promises';
import { LabError } from '../errors.js';
import type { Guest } from '../guest/guest.js';
import { openLab } from '../lab.js';
import { ClientsProcess } from './clients-process.js';
import { makeOutcome, type Moment, type Outcome } from './outcome.js';
import { readUptimes } from './outside.js';
import { preparedState } from './prepared.js';
import { ensurePsql } from './psql.js';
import { readUnits } from './services.js';
import { stage } from './stage.js';
import { nextTick, readTicks } from './ticks.js';
import { upgrade } from './upgrade.js';

export interface DemoOptions {
  readonly kernelFrom: string;
  readonly to: string;
  readonly mirror?: string | undefined;
}

/** The clients go on for so long after the upgrade. */
const AFTERWARDS_MS = 3000;

/** One live upgrade of a guest, under the eyes of clients outside. */
export async function demo({ kernelFrom, to, mirror }: DemoOptions): Promise<Outcome> {
  stage.heading(`A Debian server on Linux ${kernelFrom}`);
  const lab = openLab({ ...(mirror === undefined ? {} : { mirror }), log: (line) => stage.line(line) });
  await ensurePsql();
  await using guest = await lab.up({ state: await preparedState(lab, kernelFrom) });
  if (guest.record.namespace === undefined) {
    throw new LabError('the demo needs a guest that can be reached from outside', { hint: 'run it as root' });
  }

  stage.heading('Check, while clients outside connect');
  using clients = new ClientsProcess(guest, {
    paused: (names) => stage.line(`waiting for an answer: ${names.join(', ')}`),
    resumed: (names) => stage.line(`answered again: ${names.join(', ')}`),
  });
  const [before, tick] = await Promise.all([look(guest), nextTick(guest), clients.ready, show(guest, 'segue check')]);
  stage.line('each client has its connection and goes on without a break');

  stage.heading(`Upgrade to Linux ${to}`);
  const status = await upgrade(guest, to);
  stage.line(`${status.state}: Linux ${status.from} → ${status.to}`);
  for (const { unit, fate, why } of status.workloads) stage.line(`  ${unit}: ${fate}${why === undefined ? '' : `, ${why}`}`);

  stage.heading('Afterwards');
  const [after] = await Promise.all([look(guest), sleep(AFTERWARDS_MS)]);
  const results = await clients.stop();
  const ticks = await readTicks(guest, tick);
  stage.line('the clients have ended');
  return makeOutcome(before, after, results, ticks);
}

async function look(guest: Guest): Promise<Moment> {
  const [kernel, units, uptimes] = await Promise.all([guest.kernelRelease(), readUnits(guest), readUptimes(guest)]);
  return { kernel, units, uptimes };
}

/** Runs a command in the guest and shows what it says; that it fails ends the demo. */
async function show(guest: Guest, command: string): Promise<void> {
  stage.quote(`$ ${command}`);
  const { exitCode, stdout, stderr } = await guest.exec(command, { reject: false, timeoutMs: 120_000 });
  for (const said of [stdout, stderr]) if (said.trim() !== '') stage.quote(said);
  if (exitCode !== 0) throw new LabError(`${command} ended with ${exitCode}`);
}
