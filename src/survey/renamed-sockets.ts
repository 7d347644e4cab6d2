import { lstatSync, readdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Task } from '../model/task.ts';
import type { RenamedSocket } from '../tools/criu-images.ts';
import type { UnixSocket } from '../tools/ss.ts';
import { unixSocketsHeld } from './facts.ts';

/** As long as it is that file. */
function isSocket(path: string, inode: number): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isSocket() === true && found.ino === inode;
}

/** Where else in its folder it is, as a task sees it. */
function nameFor({ pid }: Task, { path, fileInode }: UnixSocket): string | undefined {
  const root = `/proc/${pid.toString()}/root`;
  try {
    if (isSocket(`${root}${path}`, fileInode)) return path;
    const found = readdirSync(`${root}${dirname(path)}`).find((name) => isSocket(`${root}${dirname(path)}/${name}`, fileInode));
    return found === undefined ? undefined : `${dirname(path)}/${found}`;
  } catch {
    return undefined; // the folder is not there
  }
}

/**
 * The sockets of a workload that nobody would find after the restore: a server that must not be missed for a moment binds one to another
 * name, and then renames or links it to the one that clients know (unix(7)). The kernel, and CRIU with it, knows the first only. It may
 * have bound it before a chroot(2): the first task is the least likely to have changed its root.
 */
export function renamedSockets(tasks: readonly Task[], sockets: ReadonlyMap<number, UnixSocket>): RenamedSocket[] {
  // An accepted connection has the name of its listener.
  const held = new Map(tasks.flatMap((task) => unixSocketsHeld(task.files, sockets).map((socket) => [`${socket.path} ${socket.fileInode.toString()}`, { task, socket }] as const)));
  return [...held.values()].flatMap(({ task, socket }) => {
    if (!socket.path.startsWith('/') || socket.fileInode === 0) return [];
    const named = nameFor(task, socket) ?? nameFor(tasks[0]!, socket);
    return named === undefined || named === socket.path ? [] : [{ bound: socket.path, named }];
  });
}
