import { promises as fs } from 'node:fs';
import { dirname } from 'node:path';
import { failed, ok, type Result } from '../failure/result.ts';
import { jump } from '../jump/jump.ts';
import { confirm } from '../park/confirm.ts';
import { drain } from '../park/drain.ts';
import { dump } from '../park/dump.ts';
import { resume } from '../park/resume.ts';
import { thaw } from '../park/freezer.ts';
import { awaitInhibitors } from '../park/inhibitors.ts';
import { awaitNewcomers } from '../park/newcomers.ts';
import { fullSpeed, urgently } from '../park/pace.ts';
import { look, prove } from '../park/prove.ts';
import { seal, sealWorkloads } from '../park/seal.ts';
import { stopUnits } from '../park/stop.ts';
import { syncDisks } from '../park/sync.ts';
import { sumBeforehand } from '../park/sums.ts';
import { write } from '../park/write.ts';
import { threadsOrNone } from '../snapshot/imprint.ts';
import { snapshotSlowed } from '../snapshot/slowed.ts';
import { snapshot } from '../snapshot/snapshot.ts';
import { snapshotWhole } from '../snapshot/whole.ts';
import type { Action, Note, Step } from '../model/step.ts';
import { setHugePagesPace } from '../tools/khugepaged.ts';
import { runOk } from '../tools/command.ts';
import { storeOf } from '../store/store.ts';
import { deleteLockTables } from '../tools/nft.ts';
import { countCallsOf, startCounting, stopCounting } from '../tools/tracefs.ts';

const silent = (result: Result<unknown>): Result<undefined> => (result.ok ? ok(undefined) : result);

async function act(action: Action): Promise<Result<Note | undefined>> {
  switch (action.kind) {
    case 'run':
      return silent(await runOk(action.argv, action));
    case 'write':
      await write(action.path, action.content, action);
      return ok(undefined);
    case 'link':
      await fs.mkdir(dirname(action.path), { recursive: true, mode: 0o700 });
      await fs.rm(action.path, { force: true });
      await fs.symlink(action.target, action.path);
      return ok(undefined);
    case 'remove':
      await fs.rm(action.path, { recursive: true, force: true });
      return ok(undefined);
    case 'sync':
      return syncDisks(action);
    case 'stop':
      return stopUnits(action.units);
    case 'drain':
      return drain(action);
    case 'snapshot':
      return snapshot(action);
    case 'snapshot-slowed':
      return snapshotSlowed(action);
    case 'make-huge-pages':
      setHugePagesPace(action.everyMilliseconds);
      return ok(undefined);
    case 'count-calls':
      // Where it cannot be, no image is proven current.
      if (startCounting()) countCallsOf(action.controlGroups.flatMap(threadsOrNone));
      return ok(undefined);
    case 'end-snapshots':
      stopCounting();
      return deleteLockTables();
    case 'snapshot-whole':
      return snapshotWhole(action);
    case 'look':
      look(action.workloads);
      return ok(undefined);
    case 'prove':
      return urgently(() => prove(action.workloads));
    case 'thaw':
      await thaw(action.controlGroups);
      return ok(undefined);
    case 'full-speed':
      await fullSpeed(action.controlGroup, action.limit);
      return ok(undefined);
    case 'dump':
      return dump(action);
    case 'resume':
      return resume([action]);
    case 'unlock':
      return deleteLockTables();
    case 'sum':
      return sumBeforehand(action.handover);
    case 'seal-workloads':
      return sealWorkloads(action.handover, action.workloads);
    case 'seal':
      return seal(action.handover, action.units);
    case 'open-store':
      return storeOf(action.place).open();
    case 'store-nice':
      await storeOf(action.place).setNice(action.nice);
      return ok(undefined);
    case 'wipe-store':
      return storeOf(action.place).wipe();
    case 'await-newcomers':
      return awaitNewcomers(action.known, action.seconds);
    case 'await-inhibitors':
      return awaitInhibitors(action.stopped, action.seconds);
    case 'confirm':
      return confirm(action.workloads);
    case 'jump':
      return jump();
  }
}

/** An exception is a system call that said no (a full disk, a folder that cannot be made): a failure like others. */
export async function attempt<T>(step: Pick<Step, 'title' | 'unit'>, work: () => Promise<Result<T>>): Promise<Result<T>> {
  try {
    return await work();
  } catch (error) {
    return failed({ reason: 'step-failed', step: step.unit === undefined ? step.title : `${step.unit}: ${step.title}`, error: error instanceof Error ? error.message : String(error) });
  }
}

/** Carries out one action of a step; gives what it has to say. */
export const carryOutAction = (step: Pick<Step, 'title' | 'unit'>, action: Action): Promise<Result<Note | undefined>> => attempt(step, () => act(action));
