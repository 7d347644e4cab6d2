import { promises as fs } from 'node:fs';
import { doubt, doubtWords, type Doubt } from '../model/doubt.ts';
import { ok, type Result } from '../failure/result.ts';
import type { Note, WholeSnapshot } from '../model/step.ts';
import { imagedThreads } from '../park/confirm.ts';
import { beginFreezing, freeze, thaw } from '../park/freezer.ts';
import { makeRestartable } from '../park/restartable.ts';
import { resume } from '../park/resume.ts';
import { requireRoom } from '../store/room.ts';
import { cgroupProcesses, startTimeOf } from '../survey/task.ts';
import { run } from '../tools/command.ts';
import { dumpStatistics, mendImage, runId, setsIntervalTimer } from '../tools/criu-images.ts';
import { limitSeconds, lockTable, logErrors, wholeCommand } from '../tools/criu.ts';
import { deleteLockTables } from '../tools/nft.ts';
import { indexPages } from '../tools/page-index.ts';
import { inetSockets } from '../tools/proc-net.ts';
import { connections } from '../tools/ss.ts';
import { countCallsOf, readCounts } from '../tools/tracefs.ts';
import { sameImprint, takeImprint, threadsOrNone, type Imprint } from './imprint.ts';
import type { Round } from './rounds.ts';
import { heldTooLong, lastRound, lastRoundOrAnew, makeLast, sumRound } from './round-files.ts';
import { removeImprint, writeImprint } from './imprint-file.ts';
import { connectionsAmong } from './surroundings.ts';

/**
 * Images all of a workload while it sleeps. Its cgroup is frozen for as long as that takes, which no task hears of (a
 * stop by signal is told to the parent); what the kernel said of it meanwhile is kept as the imprint, by which the image
 * is proven current later, or is not. A workload that cannot be imaged like this is none the worse: it is imaged when
 * everything stops.
 */
export async function snapshotWhole(action: WholeSnapshot): Promise<Result<Note>> {
  const { unit } = action;
  const rounds: Round[] = [];
  const result = await attempt(action, rounds);
  if (!result.ok) return result;
  const why = result.value;
  return ok({ event: why === undefined ? 'snapshot' : 'doubt', unit, ...(rounds.length > 0 ? { rounds } : {}), ...(why === undefined ? { whole: true } : { why: doubtWords(why) }) });
}

async function attempt(action: WholeSnapshot, rounds: Round[]): Promise<Result<Doubt | undefined>> {
  removeImprint(action.workload);
  for (const { order, folder, large } of action.trees) {
    const held = await heldTooLong(folder);
    if (held !== undefined) return ok(held);
    if (!(await requireRoom(action.handover, order.memory)).ok) return ok(doubt('not-imaged', 'the store has no room for it any more'));
    // It would be held for as long as it takes to write all its memory.
    if (large && (await lastRound(folder)) === 0) return ok(doubt('not-imaged', 'not even its memory'));
  }
  const counts = readCounts();
  if (counts === undefined) return ok(doubt('kernel'));
  countCallsOf(threadsOrNone(action.controlGroup));
  // Nobody is held for an image that could not be proven current.
  const unconnected = imprintOf(action.controlGroup, { ...counts, connections: new Map() }, []);
  if ('kind' in unconnected) return ok(unconnected);
  const inet = inetSockets();
  if (!inet.ok) return inet;
  const connected = await connectionsAmong(new Set(unconnected.sockets), inet.value);
  if (!connected.ok) return connected;
  const now = connected.value.size === 0 ? unconnected : imprintOf(action.controlGroup, { ...counts, connections: connected.value }, []);
  if ('kind' in now) return ok(now);

  const images: string[] = [];
  const began = performance.now();
  const imprint = await standStill(action, images, now).finally(() => thaw([action.controlGroup]));
  const heldMs = Math.round(performance.now() - began);
  if ('kind' in imprint && images.length < action.trees.length) return ok(imprint);
  for (const [index, tree] of action.trees.entries()) {
    const folder = images[index]!;
    await indexPages(folder);
    const summed = await sumRound(action.handover, tree.folder, folder, action.idleGroup);
    if (!summed.ok) return summed;
    await makeLast(tree.folder, folder);
    rounds.push({ bytes: (await dumpStatistics(folder)).writtenBytes, heldMs });
    if (await setsIntervalTimer(folder)) return ok(doubt('timer'));
  }
  return 'kind' in imprint ? ok(imprint) : writeImprint(action, imprint);
}

/** All that is done while the workload stands still. `before` is its imprint as it was right before. */
async function standStill(action: WholeSnapshot, images: string[], before: Imprint): Promise<Imprint | Doubt> {
  const { controlGroup, trees } = action;
  if ((await freeze([controlGroup])).length > 0) return doubt('restless');
  await makeRestartable(controlGroup);
  for (const tree of trees) {
    const { folder, wrong } = await imageTree(tree, controlGroup);
    if (wrong !== undefined) {
      await mend(controlGroup);
      return doubt('not-imaged', wrong);
    }
    await mendImage(folder, action);
    images.push(folder);
  }
  const locks = await locksOf(images);
  const counts = readCounts();
  // Also what CRIU itself has sent, to hear of a peer's window when it let a connection go (TCP_REPAIR of tcp(7)).
  const counted = Object.keys(before.connections).length > 0 ? await connections() : ok(new Map<number, string>());
  if (counts === undefined || !counted.ok) return doubt('kernel');
  const imaged = new Set((await Promise.all(images.map(imagedThreads))).flat());
  const after = imprintOf(controlGroup, { ...counts, connections: counted.value }, locks);
  // Whoever has come into the unit since it was surveyed, and from elsewhere, is in none of its trees.
  if (!('kind' in after) && after.threads.some((thread) => !imaged.has(thread))) return doubt('tasks');
  return 'kind' in after || sameImprint(before, after) ? after : doubt('not-imaged', 'something happened to it meanwhile');
}

/** CRIU leaves nothing behind when it fails, unless it was killed. */
async function mend(controlGroup: string): Promise<void> {
  const { pids } = await cgroupProcesses(controlGroup);
  await deleteLockTables();
  await resume([{ kind: 'resume', controlGroup, keepStopped: pids }]);
}

function imprintOf(...asked: Parameters<typeof takeImprint>): Imprint | Doubt {
  try {
    return takeImprint(...asked);
  } catch {
    return doubt('tasks'); // one has ended, or was killed
  }
}

interface Imaged {
  readonly folder: string;
  readonly wrong?: string;
}

async function imageTree({ order, folder, startTime, large }: WholeSnapshot['trees'][number], controlGroup: string): Promise<Imaged> {
  const rounds = await (large ? lastRound(folder) : lastRoundOrAnew(folder));
  const images = `${folder}/${(rounds + 1).toString()}`;
  if (startTimeOf(order.pid) !== startTime) return { folder: images, wrong: `its process ${order.pid.toString()} has ended` };
  await fs.mkdir(images, { recursive: true, mode: 0o700 });
  // Until it is known that this one is whole, nothing can be built on it, or on those before.
  await fs.rm(`${folder}/last`, { force: true });
  const { exitCode, stderr } = await run(wholeCommand(order, folder, rounds, controlGroup), {
    limitSeconds: limitSeconds(order.memory),
    // A CRIU that was killed leaves connections in repair mode, and whoever uses one loses it.
    ended() { beginFreezing([controlGroup]); },
  });
  if (exitCode === 0) return { folder: images };
  const wrong = (await logErrors(`${images}/dump.log`))[0] ?? (stderr.trim() || `criu ended with exit code ${exitCode.toString()}`);
  await fs.rm(folder, { recursive: true, force: true });
  return { folder: images, wrong };
}

/** CRIU's lock of each of these images; none for one that is not there. */
async function locksOf(images: readonly string[]): Promise<string[]> {
  const ids = await Promise.all(images.map((folder) => runId(folder).catch(() => undefined)));
  return ids.flatMap((id) => (id === undefined ? [] : [lockTable(id)]));
}
