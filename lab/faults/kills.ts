import { LabError } from '../errors.js';
import { nameOf, type PlannedStep } from '../inside/attempt.js';
import { segue } from '../inside/command.js';
import type { Random } from '../random.js';
import type { Context } from './context.js';
import { Place } from './in-place.js';
import type { Trial } from './outcome.js';
import { moments, parsePlan, type DryStep } from './plan.js';
import type { Server } from './server.js';
import type { StrikeSignal, Target } from './strike.js';

/** Under load: who sleeps is imaged in other steps than who works. */
async function readPlan(server: Server): Promise<DryStep[]> {
  using _ = await server.startClients();
  const { exitCode, stdout, stderr } = await segue(server.guest, 'upgrade', '--to', 'newest', '--dry-run');
  if (exitCode !== 0) throw new LabError(`segue upgrade --dry-run ended with ${exitCode}: ${stderr}`);
  return parsePlan(stdout);
}

/** SIGKILL of segue at every step. */
export async function* killSegue(context: Context): AsyncGenerator<Trial> {
  await using place = new Place(context, 'kill-segue');
  for (const step of moments(await readPlan(await place.server()))) yield* place.try({ what: `SIGKILL of segue at "${nameOf(step)}"`, moment: step, target: 'segue', signal: 'KILL' });
}

/** A workload that sleeps is held, the first are stopped, all are. */
const OTHERS_HELD = /^image all of it while it sleeps|^lock the sockets of those of|^seal the hand-over/;

/** SIGSTOP of segue when others stand still already: as if it waited for a disk or a server that does not answer. */
export async function* stopSegue(context: Context): AsyncGenerator<Trial> {
  await using place = new Place(context, 'stop-segue');
  for (const step of (await readPlan(await place.server())).filter(({ title }) => OTHERS_HELD.test(title))) yield* place.try({ what: `SIGSTOP of segue at "${nameOf(step)}"`, moment: step, target: 'segue', signal: 'STOP' });
}

/** Whether CRIU is run by a step; see src/plan/plan.ts. */
export const images = ({ title }: PlannedStep): boolean => /^image (the memory of|all of it|.* and leave it stopped)/.test(title);

/** An emulated CRIU holds a tree of a few tasks for so long, seconds. */
const HELD_SECONDS = 1.5;

/** SIGKILL of criu while it holds a task: in each snapshot, and in each image, as it begins and at a random moment. */
export async function* killCriu(context: Context): AsyncGenerator<Trial> {
  await using place = new Place(context, 'kill-criu');
  for (const step of (await readPlan(await place.server())).filter(images)) {
    const held = context.random.between(0, HELD_SECONDS);
    yield* place.try({ what: `SIGKILL of criu at "${nameOf(step)}"`, moment: step, target: 'criu', signal: 'KILL' });
    yield* place.try({ what: `SIGKILL of criu at "${nameOf(step)}", after ${held.toFixed(3)} s`, moment: step, target: 'criu', signal: 'KILL', held });
  }
}

/** Segue does most of the work, so it is struck most often. */
const TARGETS: readonly [Target, ...Target[]] = ['segue', 'segue', 'segue', 'guard', 'both', 'criu'];
const SIGNALS: readonly [StrikeSignal, ...StrikeSignal[]] = ['KILL', 'KILL', 'TERM'];

export interface RandomStrike {
  readonly step: DryStep;
  /** Seconds after that step. */
  readonly delay: number;
  readonly target: Target;
  readonly signal: StrikeSignal;
}

/** Each step takes so long at most, in an emulated guest; most are over sooner, and then it is a later one that is struck. */
const WITHIN_SECONDS = 3;

/** A random moment: some time after a step that is picked at random. */
export function randomStrike(random: Random, steps: readonly [DryStep, ...DryStep[]]): RandomStrike {
  return { step: random.pick(steps), delay: random.between(0, WITHIN_SECONDS), target: random.pick(TARGETS), signal: random.pick(SIGNALS) };
}

export async function* randomMoments(context: Context): AsyncGenerator<Trial> {
  await using place = new Place(context, 'random-moments');
  const [first, ...others] = moments(await readPlan(await place.server()));
  if (first === undefined) throw new LabError('the plan of the upgrade has no steps');
  for (let count = 0; count < context.moments; count += 1) {
    const { step, delay, target, signal } = randomStrike(context.random, [first, ...others]);
    yield* place.try({ what: `SIG${signal} of ${target} ${delay.toFixed(3)} s after "${nameOf(step)}"`, moment: step, target, signal, delay });
  }
}
