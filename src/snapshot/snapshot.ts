import { promises as fs, readdirSync, writeFileSync } from 'node:fs';
import { ok, type Result } from '../failure/result.ts';
import { doubtWords } from '../model/doubt.ts';
import type { MemorySnapshot, Note } from '../model/step.ts';
import { freeze, thaw } from '../park/freezer.ts';
import { makeRestartable } from '../park/restartable.ts';
import { requireRoom } from '../store/room.ts';
import { startTimeOf, tracerOf } from '../survey/task.ts';
import { run, type Output } from '../tools/command.ts';
import { dumpStatistics } from '../tools/criu-images.ts';
import { limitSeconds, logErrors, preDumpCommand } from '../tools/criu.ts';
import { indexPages } from '../tools/page-index.ts';
import { heldTooLong, lastRound, lastRoundOrAnew, makeLast, sumRound } from './round-files.ts';
import { anotherRound, isHopeless, type Round } from './rounds.ts';

/** `idleGroup`: a cgroup of the lowest weight, where nobody waits; `last`: before it is parked. */
type Snapshot = MemorySnapshot & { readonly last: boolean; readonly idleGroup?: string };

const POLL_MILLISECONDS = 5;

/** What rounds came to. */
export interface Taken {
  readonly rounds: readonly Round[];
  /** Of the last of them that builds on another, bytes: so much had been written meanwhile. */
  readonly left: number;
}

/**
 * Images the memory of a tree while it runs, in rounds, so that the stoppage need only image what was written since the
 * last. A tree that cannot be imaged like this is none the worse: the stoppage then images all of it.
 */
export async function snapshot(action: Snapshot): Promise<Result<Note>> {
  const { unit, folder, order, last } = action;
  const held = await heldTooLong(folder);
  if (held !== undefined) return ok({ event: 'doubt', unit, why: doubtWords(held) });
  const taken = await takeRounds(action);
  if (typeof taken === 'string') return drop(action, taken);
  if (last && isHopeless(taken.left, order.memory)) return drop(action, FALLS_BEHIND);
  return ok({ event: 'snapshot', unit, rounds: taken.rounds });
}

export const FALLS_BEHIND = 'it writes its memory faster than that is read';

/** The stoppage then images all of it. */
export async function drop({ folder, unit }: MemorySnapshot, why: string): Promise<Result<Note>> {
  await fs.rm(folder, { recursive: true, force: true });
  return ok({ event: 'snapshot-failed', unit, why });
}

/** Rounds, for as long as a further one pays; what went wrong, in words, if one failed: none of them can be built on then. */
export async function takeRounds(action: Snapshot): Promise<Taken | string> {
  const { folder, budget } = action;
  const rounds: Round[] = [];
  // Others may wait: then none is begun anew.
  const earlier = await (action.last ? lastRound(folder) : lastRoundOrAnew(folder));
  const began = performance.now();
  while (anotherRound(rounds, budget, performance.now() - began)) {
    const number = earlier + rounds.length + 1;
    // There is an earlier one, on which the image can build.
    const { ok: hasRoom } = await requireRoom(action.handover, action.order.memory);
    if (!hasRoom && number > 1) break;
    const round = hasRoom ? await takeRound(action, number) : 'the store has no room for it any more';
    // What was written since the last round is known to CRIU no more.
    if (typeof round === 'string') return round;
    rounds.push(round);
  }
  // The first of all says nothing of how much is written.
  return { rounds, left: (earlier > 0 ? rounds : rounds.slice(1)).at(-1)?.bytes ?? 0 };
}

/** One round; what went wrong, in words, if it failed. */
async function takeRound(action: Snapshot, number: number): Promise<Round | string> {
  const { order, handover, folder, startTime, last, idleGroup } = action;
  if (startTimeOf(order.pid) !== startTime) return `its process ${order.pid.toString()} has ended`;
  const images = `${folder}/${number.toString()}`;
  await fs.mkdir(images, { recursive: true, mode: 0o700 });
  // A round that is cut off leaves no `last` behind.
  await fs.rm(`${folder}/last`, { force: true });
  const { exitCode, stderr, heldMs } = await takeMemory(action, number);
  if (exitCode !== 0) return (await logErrors(`${images}/dump.log`))[0] ?? (stderr.trim() || `criu ended with exit code ${exitCode.toString()}`);

  await indexPages(images);
  // What it writes meanwhile is to be imaged again: what little the last rounds have is summed when everything stands still.
  if (!last || number === 1) {
    const summed = await sumRound(handover, folder, images, idleGroup);
    if (!summed.ok) return 'its images could not be summed';
  }
  await makeLast(folder, images);
  return { bytes: (await dumpStatistics(images)).writtenBytes, heldMs };
}

/** Runs CRIU on a tree, which stands still until CRIU lets it go; and says for how long that was, milliseconds. */
async function takeMemory({ order, folder, controlGroup, idleGroup }: Snapshot, number: number): Promise<Pick<Output, 'exitCode' | 'stderr'> & { heldMs: number }> {
  let watcher: Watcher | undefined;
  const began = performance.now();
  const held = (): number => Math.round(performance.now() - began);
  try {
    if ((await freeze([controlGroup])).length > 0) return { exitCode: 1, stderr: 'one of its tasks does not stand still', heldMs: held() };
    await makeRestartable(controlGroup);
    let heldMs: number | undefined;
    const output = await run(preDumpCommand(order, folder, number, controlGroup), {
      limitSeconds: limitSeconds(order.memory),
      started(criu) {
        watcher = watch(() => hasLetGo(order.pid, `${folder}/${number.toString()}`), () => {
          void thaw([controlGroup]);
          heldMs = held();
          if (idleGroup !== undefined) move(criu, idleGroup);
        });
      },
    });
    return { ...output, heldMs: heldMs ?? held() };
  } finally {
    watcher?.end();
    await thaw([controlGroup]);
  }
}

/** CRIU begins to write what it reads when it holds the tree no more (cr_pre_dump_finish() in criu/cr-dump.c). */
const hasLetGo = (pid: number, images: string): boolean => tracerOf(pid) === 0 && readdirSync(images).some((name) => name.startsWith('pagemap-'));

/**
 * While CRIU holds a task it must not wait for a processor itself: it begins with the usual weight. When it has let the
 * task go, it moves to the cgroup with the lowest, where it reads at its leisure; where everybody waits there is none.
 */
function move(criu: number, idleGroup: string): void {
  try {
    writeFileSync(`/sys/fs/cgroup${idleGroup}/cgroup.procs`, criu.toString());
  } catch {
    // It has ended meanwhile.
  }
}

interface Watcher {
  end(): void;
}

function watch(condition: () => boolean, then: () => void): Watcher {
  const poll = setInterval(() => {
    if (!condition()) return;
    clearInterval(poll);
    then();
  }, POLL_MILLISECONDS);
  return {
    end() {
      clearInterval(poll);
    },
  };
}
