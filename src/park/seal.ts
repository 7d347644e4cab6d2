import { promises as fs } from 'node:fs';
import { failed, ok, type Result } from '../failure/result.ts';
import type { SealedWorkload } from '../model/step.ts';
import { inodeOf } from '../survey/facts.ts';
import { cgroupProcesses } from '../survey/task.ts';
import { runId } from '../tools/criu-images.ts';
import { lockTable } from '../tools/criu.ts';
import { handoverLockScript, lockTables } from '../tools/nft.ts';
import { inetSockets, type InetSocket } from '../tools/ss.ts';
import { checksums, fileOf } from '../tools/xxhsum.ts';

/** Sockets that the (stopped) tasks of a cgroup hold now. */
async function socketsOf(controlGroup: string, all: readonly InetSocket[]): Promise<InetSocket[]> {
  const inodes = new Set<number>();
  for (const pid of (await cgroupProcesses(controlGroup)).pids) {
    for (const fd of await fs.readdir(`/proc/${pid.toString()}/fd`).catch(() => [])) {
      const target = await fs.readlink(`/proc/${pid.toString()}/fd/${fd}`).catch(() => '');
      inodes.add(inodeOf(target, 'socket') ?? 0);
    }
  }
  return all.filter((socket) => socket.inode > 0 && inodes.has(socket.inode));
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await fs.readdir(folder, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => `${entry.parentPath}/${entry.name}`.slice(folder.length + 1)).sort();
}

/**
 * Completes the hand-over: the locks that the new kernel sets before its network is up, made from the sockets as the
 * images have them, and `manifest`, the checksums that boot/lock and boot/restore verify.
 */
export async function seal(handover: string, workloads: readonly SealedWorkload[]): Promise<Result<undefined>> {
  const all = await inetSockets();
  if (!all.ok) return all;
  const tables = await lockTables();
  if (!tables.ok) return tables;
  const existing = new Set(tables.value);
  const scripts: string[] = [];
  for (const workload of workloads) {
    const sockets = workload.hostNetwork ? await socketsOf(workload.controlGroup, all.value) : [];
    const locks: string[] = [];
    for (const images of workload.images) {
      const table = lockTable((await runId(images)) ?? '');
      // CRIU made the table of this name when it imaged the tree; otherwise it would not find it at the restore.
      if (workload.hostNetwork && !existing.has(table)) return failed({ reason: 'step-failed', step: 'seal the hand-over', error: `CRIU's lock ${table} of ${workload.unit} is not there` });
      locks.push(table);
    }
    const used = sockets.length > 0 ? locks : [];
    scripts.push(...used.map((table) => handoverLockScript(table, sockets)));
    await writeDurably(`${handover}/workloads/${workload.unit}/locks`, used.map((table) => `${table}\n`).join(''));
  }
  await writeDurably(`${handover}/lock.nft`, scripts.join('\n'));

  const files = await filesBelow(handover);
  // Snapshots were summed when they were taken.
  const ofSnapshot = /^workloads\/[^/]+\/trees\/[^/]+\/snapshots\//;
  const earlier = await Promise.all(files.filter((file) => ofSnapshot.test(file) && file.endsWith('/snapshots/manifest')).map((file) => fs.readFile(`${handover}/${file}`, 'utf8')));
  const summed = await checksums(handover, files.filter((file) => !ofSnapshot.test(file)));
  if (!summed.ok) return summed;
  const sums = [...summed.value, ...earlier.flatMap((text) => text.split('\n').filter(Boolean)).map((line) => ({ line, file: fileOf(line) }))];
  const manifests = new Map<string, string[]>([['', []], ...workloads.map(({ unit }): [string, string[]] => [`workloads/${unit}/`, []])]);
  for (const { line, file } of sums) {
    const folder = /^workloads\/[^/]+\//.exec(file)?.[0] ?? '';
    manifests.get(folder)?.push(`${line}\n`);
  }
  for (const [folder, lines] of manifests) await writeDurably(`${handover}/${folder}manifest`, lines.join(''));
  return ok(undefined);
}

/** Writes a file of root's own and waits until it is on disk. */
export async function writeDurably(path: string, content: string): Promise<void> {
  await fs.mkdir(path.slice(0, path.lastIndexOf('/')), { recursive: true, mode: 0o700 });
  const file = await fs.open(path, 'w', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}
