import { promises as fs } from 'node:fs';
import { failed, ok, type Result } from '../failure/result.ts';
import type { SealedWorkload } from '../model/step.ts';
import { inodeOf } from '../survey/facts.ts';
import { cgroupProcesses } from '../survey/task.ts';
import { runId } from '../tools/criu-images.ts';
import { runOk } from '../tools/command.ts';
import { lockTable } from '../tools/criu.ts';
import { handoverLockScript, lockTables } from '../tools/nft.ts';
import { inetSockets, type InetSocket } from '../tools/ss.ts';

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

/** The name in a line of xxhsum: one with a backslash is escaped, and the line then begins with another. */
export function fileOf(line: string): string {
  const name = line.replace(/^\S+ {2}/, '');
  return line.startsWith('\\') ? name.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character)) : name;
}

/**
 * XXH3 checksums of 128 bits, as xxhsum(1) writes and checks them. They find what a disk or a bug did to a file, at the
 * speed of memory: they are computed while everything is stopped.
 */
async function checksums(folder: string, files: readonly string[]): Promise<Result<{ line: string; file: string }[]>> {
  const printed = await runOk(['sh', '-c', 'cd "$0" && exec xargs -0 xxhsum -H2', folder], { input: files.join('\0') });
  return printed.ok ? ok(printed.value.split('\n').filter(Boolean).map((line) => ({ line, file: fileOf(line) }))) : printed;
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

  const summed = await checksums(handover, await filesBelow(handover));
  if (!summed.ok) return summed;
  const manifests = new Map<string, string[]>([['', []], ...workloads.map(({ unit }): [string, string[]] => [`workloads/${unit}/`, []])]);
  for (const { line, file } of summed.value) {
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
