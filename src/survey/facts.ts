import type { InetSocket } from '../tools/proc-net.ts';
import type { UnixSocket } from '../tools/ss.ts';
import type { Mount, OpenFile, Task } from '../model/task.ts';

/** What the rules need to know about the machine as a whole. */
export interface Facts {
  readonly init: Task;
  /** Mounts of the machine that nothing makes again. */
  readonly mountsThatGo: readonly Mount[];
  /** Filesystems whose server does not answer, `major:minor`. */
  readonly silent: ReadonlySet<string>;
  /** Every process of the machine but kernel threads. */
  readonly tasks: ReadonlyMap<number, Task>;
  readonly inet: readonly InetSocket[];
  readonly unix: ReadonlyMap<number, UnixSocket>;
  /** Which processes hold a socket or pipe, by inode. */
  readonly holders: ReadonlyMap<number, readonly number[]>;
  /** Inodes of sockets of the kinds that CRIU does not know. */
  readonly foreignSockets: ReadonlySet<number>;
  /** By inode of a socket: what the kernel holds behind it that no image has. */
  readonly kernelState: ReadonlyMap<number, string>;
  /** There are some of IPVS. */
  readonly virtualServers: boolean;
  /** Names of AppArmor profiles that can be carried. */
  readonly profiles: ReadonlySet<string>;
  /** Process ids below this one may be taken by the new kernel before Segue has a say. */
  readonly reservedPids: number;
}

/** The inode of `socket:[N]` or `pipe:[N]`. */
export function inodeOf(target: string, kind: 'socket' | 'pipe'): number | undefined {
  const match = /^(socket|pipe):\[(\d+)\]$/.exec(target);
  return match?.[1] === kind ? Number(match[2]) : undefined;
}

/** The sockets that these files are. One that no program holds (not accepted yet, closed already) has no inode, which is told as 0. */
export function socketsHeld(files: readonly Pick<OpenFile, 'target'>[], sockets: readonly InetSocket[]): InetSocket[] {
  const inodes = new Set(files.map(({ target }) => inodeOf(target, 'socket')));
  return sockets.filter(({ inode }) => inode > 0 && inodes.has(inode));
}

export function unixSocketsHeld(files: readonly Pick<OpenFile, 'target'>[], sockets: ReadonlyMap<number, UnixSocket>): UnixSocket[] {
  return files.flatMap(({ target }) => sockets.get(inodeOf(target, 'socket') ?? -1) ?? []);
}
