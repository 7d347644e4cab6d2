import type { Facts } from '../../../src/survey/facts.ts';
import type { Survey } from '../../../src/model/survey.ts';
import { namespaceNames, type Mount, type NamespaceName, type OpenFile, type Task } from '../../../src/model/task.ts';
import type { Workload } from '../../../src/model/workload.ts';
import type { InetSocket } from '../../../src/tools/proc-net.ts';
import type { UnixSocket } from '../../../src/tools/ss.ts';

export const HOST_NAMESPACES = Object.fromEntries(namespaceNames.map((name) => [name, `${name}:[1]`])) as Record<
  NamespaceName,
  string
>;

let inodes = 100;

/** An ordinary open file, unless the parts say otherwise. */
export function openFile(parts: Partial<OpenFile> = {}): OpenFile {
  inodes += 1;
  return { fd: 3, target: '/var/lib/x', mountId: 20, inode: inodes, kind: 'file', major: 0, minor: 0, ...parts };
}

export const characterDevice = (target: string, major: number, minor: number): OpenFile =>
  openFile({ target, kind: 'character-device', major, minor });

export const socketFile = (inode: number): OpenFile => openFile({ target: `socket:[${inode}]`, inode, kind: 'other' });
export const pipeFile = (inode: number): OpenFile => openFile({ target: `pipe:[${inode}]`, inode, kind: 'other' });

/** A process that sleeps in the machine's own namespaces and is its own session. */
export function task(pid: number, parts: Partial<Task> = {}): Task {
  return {
    pid,
    parent: 1,
    controlGroup: '/system.slice/some.service',
    comm: 'worker',
    processGroup: pid,
    session: pid,
    threads: [pid],
    tracer: 0,
    startTime: pid * 10,
    root: '/',
    namespaces: HOST_NAMESPACES,
    files: [],
    mounts: [],
    paths: [],
    sysvSegments: [],
    firstCodeShared: false,
    memory: 2 ** 20,
    profile: '',
    confined: false,
    ...parts,
  };
}

export const inNamespace = (name: NamespaceName, id = 2): Record<NamespaceName, string> => ({
  ...HOST_NAMESPACES,
  [name]: `${name}:[${id}]`,
});

export function mount(path: string, parts: Partial<Mount> = {}): Mount {
  return { id: 20, device: '0:30', root: '/', path, type: 'tmpfs', ...parts };
}

export function unixSocket(inode: number, parts: Partial<UnixSocket> = {}): UnixSocket {
  return { type: 'u_str', state: 'ESTAB', path: '', inode, peerInode: 0, fileInode: 0, receiveQueue: 0, ...parts };
}

export function inetSocket(parts: Partial<InetSocket> = {}): InetSocket {
  return {
    protocol: 'tcp',
    state: 'ESTAB',
    receiveQueue: 0,
    localAddress: '192.0.2.1',
    localPort: 80,
    peerAddress: '192.0.2.2',
    peerPort: 40_000,
    inode: 1,
    ...parts,
  };
}

export const listening = (localPort: number, parts: Partial<InetSocket> = {}): InetSocket =>
  inetSocket({ state: 'LISTEN', localAddress: '0.0.0.0', localPort, peerAddress: '0.0.0.0', peerPort: 0, ...parts });

/** A machine with these processes besides init; who holds which socket or pipe follows from their files. */
export function facts(
  tasks: readonly Task[],
  parts: Partial<Omit<Facts, 'unix' | 'tasks'>> & { unix?: readonly UnixSocket[] } = {},
): Facts {
  const { unix = [], ...rest } = parts;
  const init = rest.init ?? task(1, { comm: 'systemd', parent: 0 });
  const holders = new Map<number, number[]>();
  for (const { pid, files } of [init, ...tasks]) {
    for (const { target } of files) {
      const inode = Number(/^(?:socket|pipe):\[(\d+)\]$/.exec(target)?.[1] ?? 0);
      if (inode > 0) holders.set(inode, [...(holders.get(inode) ?? []), pid]);
    }
  }
  return {
    init,
    mountsThatGo: [],
    silent: new Set(),
    tasks: new Map([init, ...tasks].map((one) => [one.pid, one])),
    inet: [],
    unix: new Map(unix.map((socket) => [socket.inode, socket])),
    holders,
    foreignSockets: new Set(),
    kernelState: new Map(),
    virtualServers: false,
    profiles: new Set(),
    reservedPids: 300,
    ...rest,
  };
}

export function workload(unit: string, parts: Partial<Workload> = {}): Workload {
  const root = task(4000);
  return {
    unit,
    description: '',
    properties: { Id: unit, FragmentPath: `/usr/lib/systemd/system/${unit}` },
    unitFiles: [{ path: `/usr/lib/systemd/system/${unit}`, content: '' }],
    trees: [{ root, tasks: [root] }],
    mainPid: root.pid,
    controlGroup: `/system.slice/${unit}`,
    entered: [],
    detachIpc: false,
    privateUsers: false,
    logStreams: [],
    outsideFiles: [],
    pressureFiles: [],
    renamedSockets: [],
    privateMounts: [],
    served: false,
    sockets: [],
    memory: 2 ** 20,
    obstacles: [],
    ...parts,
  };
}

export function survey(workloads: readonly Workload[], parts: Partial<Survey> = {}): Survey {
  return { workloads, afresh: [], hostMounts: [], mountedByUnits: new Set(), reservedPids: 300, ...parts };
}
