import type { Properties } from '../tools/systemctl.ts';
import { inodeOf, type Facts } from './facts.ts';
import type { Obstacle } from '../failure/obstacle.ts';
import { topProfile } from '../state/apparmor.ts';
import { mountThatGoes, servedMounts } from '../state/mounts.ts';
import type { OpenFile, Task } from '../model/task.ts';

/** What a rule looks at: the tasks of one workload, in the light of the whole machine. */
export interface Subject {
  readonly unit: string;
  readonly properties: Properties;
  readonly tasks: readonly Task[];
  readonly facts: Facts;
}

type Rule = (subject: Subject) => Obstacle[];

export const JOURNAL_STREAM = '/run/systemd/journal/stdout';
/** CRIU images these (criu/files.c, criu/include/imgset.h); any other anonymous inode it refuses. */
const ANONYMOUS = /^anon_inode:(\[(eventfd|eventpoll|timerfd|signalfd|fanotify|pidfd)\]|inotify)$/;
/**
 * Files of pressure stall information (Documentation/accounting/psi.rst). A program that wrote a trigger into one polls
 * it; the kernel does not tell what was written, and CRIU opens the file again without it: poll() would then always
 * report an error. boot/restore gives an empty file instead.
 */
export const isPressure = (file: OpenFile): boolean => file.kind === 'file' && /^(\/sys\/fs\/cgroup\/.*\/(cpu|io|memory|irq)\.pressure|\/proc\/pressure\/\w+)$/.test(file.target);

/** /dev/null, zero, full, random, urandom: the devices that are the same on every kernel. */
const MEMORY_DEVICES = new Set([3, 5, 7, 8, 9]);
export const isNull = (file: OpenFile): boolean => file.kind === 'character-device' && file.major === 1 && file.minor === 3;

const everyFile = (subject: Subject, look: (task: Task, file: OpenFile) => Obstacle | undefined): Obstacle[] =>
  subject.tasks.flatMap((task) => task.files.flatMap((file) => look(task, file) ?? []));

const anonymousFiles: Rule = (subject) =>
  everyFile(subject, (task, file) => {
    if (file.target.startsWith('anon_inode:[io_uring]')) return { kind: 'io_uring', pid: task.pid };
    if (/^anon_inode:kvm/.test(file.target)) return { kind: 'virtual-machine' };
    if (file.target.startsWith('anon_inode:') && !ANONYMOUS.test(file.target)) return { kind: 'file', pid: task.pid, fd: file.fd, target: file.target };
    if (/^(mnt|net|pid|user|uts|ipc|cgroup|time):\[/.test(file.target) || file.target.startsWith('/dev/mqueue/')) return { kind: 'file', pid: task.pid, fd: file.fd, target: file.target };
    return undefined;
  });

const devices: Rule = (subject) =>
  everyFile(subject, (task, file) => {
    if (file.kind === 'block-device') return { kind: 'device', pid: task.pid, path: file.target };
    if (file.kind !== 'character-device' || (file.major === 1 && MEMORY_DEVICES.has(file.minor))) return undefined;
    // 4 tty, 5 tty/console/ptmx, 136-143 pseudo-terminals (admin-guide/devices.txt)
    const terminal = file.major === 4 || file.major === 5 || (file.major >= 136 && file.major <= 143);
    return terminal ? { kind: 'terminal', pid: task.pid, path: file.target } : { kind: 'device', pid: task.pid, path: file.target };
  });

function outsider(subject: Subject, inode: number): string | undefined {
  const inside = new Set(subject.tasks.map((task) => task.pid));
  const pid = subject.facts.holders.get(inode)?.find((holder) => !inside.has(holder));
  return pid === undefined ? undefined : `${subject.facts.tasks.get(pid)?.comm ?? 'a process'} (${pid.toString()})`;
}

const sockets: Rule = (subject) =>
  everyFile(subject, (task, file) => {
    const inode = inodeOf(file.target, 'socket');
    if (inode === undefined) return undefined;
    const unix = subject.facts.unix.get(inode);
    if (subject.facts.foreignSockets.has(inode)) return { kind: 'socket-kind', pid: task.pid, inode };
    if (unix === undefined) return undefined;
    if (unix.type === 'u_dgr' || unix.peerInode === 0) return undefined;
    const peer = subject.facts.unix.get(unix.peerInode);
    if (peer?.path === JOURNAL_STREAM) return undefined;
    const stranger = outsider(subject, unix.peerInode);
    return stranger === undefined ? undefined : { kind: 'unix-peer', pid: task.pid, peer: peer?.path ? `${stranger} at ${peer.path}` : stranger };
  });

const pipes: Rule = (subject) =>
  everyFile(subject, (task, file) => {
    const inode = inodeOf(file.target, 'pipe');
    const stranger = inode === undefined ? undefined : outsider(subject, inode);
    return stranger === undefined ? undefined : { kind: 'pipe-peer', pid: task.pid, peer: stranger };
  });

export function logStreamInodes({ tasks, facts }: Pick<Subject, 'tasks' | 'facts'>): number[] {
  const inodes = tasks.flatMap((task) => task.files.map((file) => inodeOf(file.target, 'socket') ?? 0));
  return [...new Set(inodes)].filter((inode) => facts.unix.get(facts.unix.get(inode)?.peerInode ?? -1)?.path === JOURNAL_STREAM);
}

const socketActivation: Rule = ({ properties, facts, tasks }) => {
  const triggers = (properties['TriggeredBy'] ?? '').split(' ').filter((unit) => unit.endsWith('.socket'));
  const shared = tasks.some((task) => task.files.some((file) => facts.holders.get(inodeOf(file.target, 'socket') ?? -1)?.includes(1) === true && facts.unix.get(inodeOf(file.target, 'socket') ?? -1)?.type !== 'u_dgr'));
  return triggers.length > 0 && shared ? [{ kind: 'socket-activated', socket: triggers.join(', ') }] : [];
};

const sharedMemory: Rule = (subject) => {
  const inside = new Set(subject.tasks.map((task) => task.pid));
  for (const segment of new Set(subject.tasks.flatMap((task) => task.sysvSegments))) {
    for (const other of subject.facts.tasks.values()) {
      if (!inside.has(other.pid) && other.sysvSegments.includes(segment) && other.namespaces.ipc === subject.tasks[0]?.namespaces.ipc) {
        return [{ kind: 'sysv-shared', what: 'SysV shared memory', peer: `${other.comm} (${other.pid.toString()})` }];
      }
    }
  }
  return [];
};

const namespaces: Rule = ({ tasks, facts, properties }) => {
  const root = tasks[0];
  if (root === undefined) return [];
  const obstacles: Obstacle[] = [];
  if (tasks.some((task) => task.namespaces.pid !== facts.init.namespaces.pid)) obstacles.push({ kind: 'namespace', namespace: 'PID' });
  const nested = (['mnt', 'net', 'ipc', 'user', 'uts', 'cgroup'] as const).find((name) => tasks.some((task) => task.namespaces[name] !== root.namespaces[name]));
  if (nested !== undefined) obstacles.push({ kind: 'namespace', namespace: `nested ${nested}` });
  // PrivateUsers=self (=yes) maps ids to themselves; identity and other kinds need the namespace.
  if (root.namespaces.user !== facts.init.namespaces.user && properties['PrivateUsers'] !== 'yes') obstacles.push({ kind: 'user-namespace' });
  return obstacles;
};

/** CRIU follows a chroot() of a task, but not one of the first task of a tree (criu/mount.c, mntns_get_root_fd()). */
const roots: Rule = ({ tasks, properties }) => {
  const inside = new Set(tasks.map((task) => task.pid));
  const path = properties['RootDirectory'] || properties['RootImage'] || tasks.find((task) => !inside.has(task.parent) && task.root !== '/')?.root;
  return path ? [{ kind: 'root-directory', path }] : [];
};

const mounts: Rule = ({ tasks, facts }) =>
  tasks.flatMap((task) => {
    const mount = mountThatGoes(task, facts.init.mounts, facts.mountsThatGo);
    return mount === undefined ? [] : [{ kind: 'mount', pid: task.pid, path: mount.path, type: mount.type }];
  });

const servers: Rule = ({ tasks, facts }) =>
  tasks.flatMap((task) => {
    const mount = servedMounts(task).find(({ device }) => facts.silent.has(device));
    return mount === undefined ? [] : [{ kind: 'silent-server', pid: task.pid, path: mount.path, type: mount.type }];
  });

const processIds: Rule = ({ tasks, facts }) => {
  const lowest = Math.min(...tasks.flatMap((task) => [...task.threads, task.session || Infinity, task.processGroup || Infinity]));
  return lowest < facts.reservedPids ? [{ kind: 'low-pid', pid: lowest, reserved: facts.reservedPids }] : [];
};

/** A CRIU that takes a snapshot lets go of the task in a moment. */
const isOurs = (pid: number, { tasks }: Facts): boolean => /\/segue-[\w@-]+\.(service|scope)$/.test(tasks.get(pid)?.controlGroup ?? '');

const tracers: Rule = ({ tasks, facts }) => tasks.flatMap((task) => (task.tracer > 0 && !isOurs(task.tracer, facts) ? [{ kind: 'traced', pid: task.pid, tracer: task.tracer }] : []));

const sharedCode: Rule = ({ tasks }) => tasks.flatMap((task) => (task.firstCodeShared ? [{ kind: 'shared-code', pid: task.pid, comm: task.comm }] : []));

const descriptorStore: Rule = ({ properties }) => {
  const count = Number(properties['NFileDescriptorStore'] ?? 0);
  return count > 0 ? [{ kind: 'descriptor-store', count }] : [];
};

/** What systemd was about to do with it next it would have forgotten. A job of one command (Type=oneshot) has nothing left but to end. */
const underWay: Rule = ({ properties }) => {
  switch (properties['ActiveState']) {
    case 'deactivating':
      return [{ kind: 'under-way', how: 'is being stopped' }];
    case 'activating': {
      if (properties['Type'] !== 'oneshot') return [{ kind: 'under-way', how: 'is being started' }];
      const last = properties['SubState'] === 'start' && !(properties['ExecStart'] ?? '').includes('\n') && (properties['ExecStartPost'] ?? '') === '';
      return last ? [] : [{ kind: 'under-way', how: 'is a job of several commands, and at one of them' }];
    }
    default:
      return [];
  }
};

/** At the restore CRIU has a task enter its profile again: it must be one that can be loaded beforehand. */
const confinement: Rule = ({ tasks, facts }) =>
  tasks.flatMap(({ pid, profile }) => (profile === '' || (!/^:|\/\/&/.test(profile) && facts.profiles.has(topProfile(profile))) ? [] : [{ kind: 'confinement', pid, profile }]));

/** What the kernel does for a program, and CRIU does not know of: the program would run on and not know that it is gone. */
const kernelState: Rule = (subject) => [
  ...everyFile(subject, (task, file) => {
    const inode = inodeOf(file.target, 'socket');
    const what = inode === undefined ? undefined : subject.facts.kernelState.get(inode);
    return what === undefined ? undefined : { kind: 'kernel-state', pid: task.pid, what };
  }),
  ...subject.tasks.filter(({ comm }) => subject.facts.virtualServers && comm.startsWith('keepalived')).map(({ pid }): Obstacle => ({ kind: 'kernel-state', pid, what: 'virtual servers (IPVS)' })),
];

const RULES: readonly Rule[] = [
  anonymousFiles, devices, sockets, pipes, socketActivation, sharedMemory, namespaces, roots, mounts, servers, processIds, tracers, sharedCode, descriptorStore, confinement, kernelState, underWay,
];

/** Every obstacle of a workload, each said once. */
export function obstaclesOf(subject: Subject): Obstacle[] {
  const found = new Map<string, Obstacle>();
  for (const rule of RULES) {
    for (const obstacle of rule(subject)) {
      // One process that holds twenty such files is one thing to say.
      const said = obstacle.kind === 'file' ? `${obstacle.kind} ${obstacle.target}` : obstacle.kind === 'device' || obstacle.kind === 'terminal' ? `${obstacle.kind} ${obstacle.path}` : obstacle.kind;
      if (!found.has(said)) found.set(said, obstacle);
    }
  }
  return [...found.values()];
}
