import { closeSync, openSync, readFileSync, readlinkSync, readSync, statSync } from 'node:fs';
import { doubt, type Doubt } from '../model/doubt.ts';

/** What a task holds that others may change. */
export interface Holdings {
  /** Paths through which its files can be asked for, `/proc/PID/root/…` or `/proc/PID/fd/N`. */
  readonly files: readonly string[];
  /** Inodes. */
  readonly sockets: readonly number[];
  /** Eventfds: their fdinfo. */
  readonly counters: readonly string[];
}

/** What is nobody's to change: the program itself puts data in, and its system calls are counted. */
const OWN = /^(anon_inode:\[(eventpoll|signalfd)\]|pipe:\[\d+\])$/;
const DELETED = ' (deleted)';

/**
 * A closed world: an open file of a kind that is not known to stay as it is makes a doubt. Pipes have both ends in the
 * workload (an end outside is an obstacle).
 */
export function holdings(pid: number, descriptors: readonly string[], ownRoot: boolean): Holdings | Doubt {
  const proc = `/proc/${pid.toString()}`;
  const files: string[] = [];
  const sockets: number[] = [];
  const counters: string[] = [];
  for (const fd of descriptors) {
    const link = `${proc}/fd/${fd}`;
    const target = readlinkSync(link);
    const socket = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    const info = `${proc}/fdinfo/${fd}`;
    if (socket !== undefined) sockets.push(Number(socket));
    else if (target === 'anon_inode:[eventfd]') counters.push(info);
    else if (target === 'anon_inode:[timerfd]') {
      // Armed, it would go off later by the age of the image: CRIU keeps the time that is left.
      if (!/^it_value: \(0, 0\)$/m.test(readFileSync(info, 'utf8'))) return doubt('timer', `descriptor ${fd} of process ${pid.toString()}`);
    } else if (target.startsWith('/')) {
      const stat = statSync(link);
      if (stat.isCharacterDevice()) continue;
      if (!stat.isFile() && !stat.isDirectory()) return doubt('descriptor', target);
      const file = fileOf(target, link, stat.nlink, proc, ownRoot);
      if (file === undefined) return doubt('nameless', target);
      files.push(file);
    } else if (!OWN.test(target)) return doubt('descriptor', target);
  }
  return { files, sockets, counters };
}

/** Where to ask for a file; a link to it, when its name is gone. A third name (link_remap of CRIU) would not outlive the snapshot. */
function fileOf(target: string, link: string, links: number, proc: string, ownRoot: boolean): string | undefined {
  if (target.endsWith(DELETED)) return links === 0 ? link : undefined;
  return ownRoot ? target : `${proc}/root${target}`;
}

/** Anonymous memory that a tree shares within itself is in its image. CRIU restores it as a memfd of this name (criu/shmem.c). */
const INNER_SHARED = /^((?:\/memfd:)?\/dev\/zero \(deleted\)|\/SYSV[0-9a-f]{8}(?: \(deleted\))?)$/;

/** EI_CLASS of an ELF header (elf(5)): the program's own, as the vDSO of a restored task is where CRIU has put it. */
const CLASS_64 = 2;

export function elfClass(file: string): number | undefined {
  const header = Buffer.alloc(5);
  const opened = openSync(file, 'r');
  try {
    readSync(opened, header);
  } finally {
    closeSync(opened);
  }
  return header.subarray(0, 4).equals(Buffer.from('\x7fELF', 'latin1')) ? header[4] : undefined;
}

/** The files that a task maps; a doubt if it may write to one in this way, which no system call tells. */
export function mappedFiles(pid: number, ownRoot: boolean): string[] | Doubt {
  const proc = `/proc/${pid.toString()}`;
  if (elfClass(`${proc}/exe`) !== CLASS_64) return doubt('thirty-two-bit', `process ${pid.toString()}`);
  const files = new Set<string>();
  for (const [, range = '', mode = '', path = ''] of readFileSync(`${proc}/maps`, 'utf8').matchAll(/^(\S+) (\S+) \S+ \S+ \d+ +(\S.*)$/gm)) {
    if (path.startsWith('[') || INNER_SHARED.test(path)) continue;
    if (!path.startsWith('/') || path.startsWith('/[aio]') || path.startsWith('/memfd:')) return doubt('descriptor', path);
    if (mode[1] === 'w' && mode[3] === 's') return doubt('shared-file', path);
    const link = `${proc}/map_files/${range}`;
    if (path.endsWith(DELETED)) {
      if (statSync(link).nlink > 0) return doubt('nameless', path);
      files.add(link);
    } else files.add(ownRoot ? path : `${proc}/root${path}`);
  }
  return [...files];
}
