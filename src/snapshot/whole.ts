import { promises as fs } from 'node:fs';
import { doubt, doubtWords, type Doubt } from '../model/doubt.ts';
import { ok, type Result } from '../failure/result.ts';
import type { Note, WholeSnapshot } from '../model/step.ts';
import { resume } from '../park/resume.ts';
import { startTimeOf } from '../survey/task.ts';
import { run } from '../tools/command.ts';
import { dumpStatistics, leaveUserNamespace, runId, setsIntervalTimer } from '../tools/criu-images.ts';
import { lockTable, logErrors, wholeCommand } from '../tools/criu.ts';
import { deleteTables } from '../tools/nft.ts';
import { inetSockets, isConnection } from '../tools/ss.ts';
import { countCallsOf, countedCalls } from '../tools/tracefs.ts';
import { takeImprint, threadsOf, type Imprint } from './imprint.ts';
import type { Round } from './rounds.ts';
import { rememberRound } from './round-files.ts';
import { writeImprint } from './imprint-file.ts';

/**
 * Images all of a workload while it sleeps. Its tasks stand still for as long as that takes and then go on; what the
 * kernel said of them meanwhile is kept as the imprint, by which the image is proven current later, or is not. A workload
 * that cannot be imaged like this is none the worse: it is imaged when everything stops.
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
  const sockets = await inetSockets();
  if (!sockets.ok) return sockets;
  if (sockets.value.some((socket) => isConnection(socket) && action.sockets.includes(socket.inode))) return ok(doubt('connection'));
  if (countedCalls() === undefined) return ok(doubt('kernel'));
  countCallsOf(threadsOf(action.controlGroup));

  const images: string[] = [];
  let imprint: Imprint | Doubt | undefined;
  let why: Doubt | undefined;
  const began = performance.now();
  try {
    for (const tree of action.trees) {
      const { folder, wrong } = await imageTree(tree, action.privateUsers);
      images.push(folder);
      if (wrong !== undefined) why ??= doubt('not-imaged', wrong);
    }
    const locks = why === undefined ? await locksOf(images) : [];
    const calls = countedCalls();
    if (why === undefined && calls === undefined) why = doubt('kernel');
    if (why === undefined && calls !== undefined) imprint = takeImprint(action.controlGroup, calls, locks);
  } finally {
    const resumed = await resume([{ kind: 'resume', controlGroup: action.controlGroup, keepStopped: action.keepStopped }], { connections: false });
    if (!resumed.ok) return resumed;
  }
  // There is no connection that it holds back.
  const unlocked = await deleteTables(await locksOf(images));
  if (!unlocked.ok) return unlocked;
  if (why !== undefined) return ok(why);
  const heldMs = Math.round(performance.now() - began);
  for (const [index, tree] of action.trees.entries()) {
    const folder = images[index]!;
    const remembered = await rememberRound(action.handover, tree.folder, folder);
    if (!remembered.ok) return remembered;
    rounds.push({ bytes: (await dumpStatistics(folder)).writtenBytes, heldMs });
    if (await setsIntervalTimer(folder)) return ok(doubt('timer'));
  }
  if (imprint === undefined || 'kind' in imprint) return ok(imprint);
  return writeImprint(action, imprint);
}

interface Imaged {
  readonly folder: string;
  readonly wrong?: string;
}

async function imageTree({ order, folder, startTime }: WholeSnapshot['trees'][number], privateUsers: boolean): Promise<Imaged> {
  await fs.mkdir(folder, { recursive: true, mode: 0o700 });
  const rounds = Math.max(0, ...(await fs.readdir(folder)).map(Number).filter((number) => number > 0));
  const images = `${folder}/${(rounds + 1).toString()}`;
  if (startTimeOf(order.pid) !== startTime) return { folder: images, wrong: `its process ${order.pid.toString()} has ended` };
  await fs.mkdir(images, { mode: 0o700 });
  // Until it is known that this one is whole, nothing can be built on it, or on those before.
  await fs.rm(`${folder}/last`, { force: true });
  const { exitCode, stderr } = await run(wholeCommand(order, folder, rounds));
  if (exitCode === 0) {
    if (privateUsers) await leaveUserNamespace(images);
    return { folder: images };
  }
  const wrong = (await logErrors(`${images}/dump.log`))[0] ?? (stderr.trim() || `criu ended with exit code ${exitCode.toString()}`);
  await fs.rm(folder, { recursive: true, force: true });
  return { folder: images, wrong };
}

/** CRIU's lock of each of these images; none for one that is not there. */
async function locksOf(images: readonly string[]): Promise<string[]> {
  const ids = await Promise.all(images.map((folder) => runId(folder).catch(() => undefined)));
  return ids.flatMap((id) => (id === undefined ? [] : [lockTable(id)]));
}
