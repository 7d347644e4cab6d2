import { promises as fs } from 'node:fs';
import { availableParallelism } from 'node:os';
import pMap from 'p-map';
import { failed, ok, type Result } from '../failure/result.ts';
import type { SealedWorkload } from '../model/step.ts';
import { socketsHeld } from '../survey/facts.ts';
import { cgroupProcesses } from '../survey/task.ts';
import { runId } from '../tools/criu-images.ts';
import { lockTable } from '../tools/criu.ts';
import { handoverLockScript, lockTables } from '../tools/nft.ts';
import { inetSockets, type InetSocket } from '../tools/proc-net.ts';
import { checksums } from '../tools/xxhsum.ts';
import { writeAffinity } from './affinity.ts';
import { proofOf, type Proof } from './prove.ts';
import { writeSocketOptions } from './socket-options.ts';
import { sumTheRest, sumWorkload } from './sums.ts';
import { write } from './write.ts';

/** Sockets that the (stopped) tasks of a cgroup hold now. */
async function socketsOf(controlGroup: string, all: readonly InetSocket[]): Promise<InetSocket[]> {
  const files: { target: string }[] = [];
  for (const pid of (await cgroupProcesses(controlGroup)).pids) {
    for (const fd of await fs.readdir(`/proc/${pid.toString()}/fd`).catch(() => [])) {
      files.push({ target: await fs.readlink(`/proc/${pid.toString()}/fd/${fd}`).catch(() => '') });
    }
  }
  return socketsHeld(files, all);
}

/** What the new kernel sets before its network is up (boot/lock). */
const locksOf = (handover: string): string => `${handover}/lock.nft`;
/** The tables of these names, which CRIU finds and deletes at the restore. */
const locksFor = (names: readonly string[], sockets: readonly InetSocket[]): string => (sockets.length === 0 ? '' : names.map((table) => handoverLockScript(table, sockets)).join('\n'));

/** Gives its locks; sums what its images, all of them taken while everything stood still, and its archives are made of. */
async function sealImaged(handover: string, workload: SealedWorkload, existing: ReadonlySet<string>, all: readonly InetSocket[]): Promise<Result<string>> {
  const folder = `workloads/${workload.unit}`;
  const tables: string[] = [];
  for (const images of workload.images) {
    const table = lockTable((await runId(images)) ?? '');
    // CRIU made the table of this name when it imaged the tree; otherwise it would not find it at the restore.
    if (workload.hostNetwork && !existing.has(table)) return failed({ reason: 'step-failed', step: `seal ${workload.unit}`, error: `CRIU's lock ${table} is not there` });
    tables.push(table);
  }
  const sockets = workload.hostNetwork ? await socketsOf(workload.controlGroup, all) : [];
  await write(`${handover}/${folder}/locks`, sockets.length === 0 ? '' : tables.map((table) => `${table}\n`).join(''));
  await Promise.all([writeAffinity, writeSocketOptions].map((writes) => writes(`${handover}/${folder}`, workload.controlGroup)));
  const summed = await sumWorkload(handover, folder);
  return summed.ok ? ok(locksFor(tables, sockets)) : summed;
}

/** Gives its locks. All that was imaged while it slept was summed then (src/snapshot/imprint-file.ts); its archives were made now. */
async function sealProven(handover: string, { unit, archives }: SealedWorkload, { imprint }: Proof, all: readonly InetSocket[]): Promise<Result<string>> {
  const folder = `workloads/${unit}`;
  if (archives.length > 0) {
    const summed = await checksums(handover, archives.map((name) => `${folder}/${name}`));
    if (!summed.ok) return summed;
    await fs.appendFile(`${handover}/${folder}/manifest`, summed.value.map(({ line }) => `${line}\n`).join(''));
  }
  const sockets = new Set(imprint.sockets);
  return ok(locksFor(imprint.locks, all.filter((socket) => sockets.has(socket.inode))));
}

/** Completes these (stopped) workloads in the hand-over: their locks, made from the sockets as the images have them, and their checksums. */
export async function sealWorkloads(handover: string, workloads: readonly SealedWorkload[]): Promise<Result<undefined>> {
  const all = inetSockets();
  if (!all.ok) return all;
  const tables = await lockTables();
  if (!tables.ok) return tables;
  const existing = new Set(tables.value);
  const sealed = await pMap(workloads, (workload) => {
    const proof = proofOf(workload.unit);
    return proof === undefined ? sealImaged(handover, workload, existing, all.value) : sealProven(handover, workload, proof, all.value);
  }, { concurrency: availableParallelism() });
  const locks: string[] = [];
  for (const each of sealed) {
    if (!each.ok) return each;
    locks.push(each.value);
  }
  // A file for each of hundreds, to be read once more, would take its time.
  await fs.appendFile(locksOf(handover), locks.filter(Boolean).map((script) => `${script}\n`).join(''), { mode: 0o600 });
  return ok(undefined);
}

/** Completes the hand-over when its workloads are: `manifest`, the checksums that boot/lock and boot/restore verify. */
export async function seal(handover: string, units: readonly string[]): Promise<Result<undefined>> {
  // Also where nobody was sealed.
  await fs.appendFile(locksOf(handover), '', { mode: 0o600 });
  return sumTheRest(handover, units);
}
