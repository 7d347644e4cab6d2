import { readdirSync, readFileSync } from 'node:fs';
import { failed, ok, type Result } from '../failure/result.ts';
import { loadedProfiles } from '../state/apparmor.ts';
import { stateBehindNetlink } from '../tools/netlink.ts';
import { inetSockets } from '../tools/proc-net.ts';
import { encryptedByKernel, foreignSockets, unixSockets } from '../tools/ss.ts';
import { inodeOf, type Facts } from './facts.ts';
import type { Task } from '../model/task.ts';
import { silentServers } from './servers.ts';
import { parseStat, readTask } from './task.ts';

const KERNEL_THREAD = 0x00200000; // PF_KTHREAD, include/linux/sched.h

/** A file; empty when it, or the process it tells of, is not there. */
export function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Looks at every process and every socket of the machine, once. Needs root. */
export async function readFacts(): Promise<Result<Omit<Facts, 'mountsThatGo'>>> {
  const inet = inetSockets();
  if (!inet.ok) return inet;
  const [unix, foreign, encrypted] = await Promise.all([unixSockets(), foreignSockets(), encryptedByKernel()]);
  if (!unix.ok) return unix;

  const pids = readdirSync('/proc').map(Number).filter((pid) => pid > 0);
  let kernelThreads = 0;
  const tasks = new Map<number, Task>();
  for (const pid of pids) {
    const stat = parseStat(readIfThere(`/proc/${pid.toString()}/stat`));
    if (stat === undefined) continue;
    if ((stat.flags & KERNEL_THREAD) !== 0) kernelThreads += 1;
    else {
      const task = readTask(pid);
      if (task !== undefined) tasks.set(pid, task);
    }
  }
  const init = tasks.get(1);
  if (init === undefined) return failed({ reason: 'not-root' });

  const holders = new Map<number, number[]>();
  for (const task of tasks.values()) {
    for (const file of task.files) {
      const inode = inodeOf(file.target, 'socket') ?? inodeOf(file.target, 'pipe');
      if (inode === undefined) continue;
      const pids = holders.get(inode) ?? [];
      if (!pids.includes(task.pid)) holders.set(inode, [...pids, task.pid]);
    }
  }

  const networks = new Map<string, number>();
  // The oldest process of each namespace: a young one, a command say, may be gone in a moment.
  for (const task of [...tasks.values()].sort((a, b) => b.startTime - a.startTime)) networks.set(task.namespaces.net, task.pid);
  const unixByInode = new Map(unix.value.map((socket) => [socket.inode, socket]));
  for (const [namespace, pid] of networks) {
    if (namespace === init.namespaces.net) continue;
    const sockets = await unixSockets(pid);
    if (sockets.ok) for (const socket of sockets.value) unixByInode.set(socket.inode, socket);
  }

  return ok({
    init,
    tasks,
    silent: await silentServers(tasks.values()),
    inet: inet.value,
    unix: unixByInode,
    holders,
    foreignSockets: foreign,
    kernelState: new Map([
      ...[...encrypted].map((inode) => [inode, 'the keys of an encrypted connection (kTLS)'] as const),
      ...stateBehindNetlink({ netlink: readIfThere('/proc/net/netlink'), log: readIfThere('/proc/net/netfilter/nfnetlink_log'), queue: readIfThere('/proc/net/netfilter/nfnetlink_queue') }),
    ]),
    // Three lines are there in any case.
    virtualServers: readIfThere('/proc/net/ip_vs').trim().split('\n').length > 3,
    profiles: new Set(loadedProfiles().keys()),
    // The new kernel's own threads come first, before `sysctl.kernel.ns_last_pid=` on its command line counts
    // (do_sysctl_args() in init/main.c): about as many as now, and a few that only boots have.
    reservedPids: Math.max(300, Math.ceil(kernelThreads * 1.25)),
  });
}
