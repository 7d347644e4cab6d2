import { expect, test } from 'vitest';
import type { Facts } from '../../../src/survey/facts.ts';
import type { Obstacle } from '../../../src/failure/obstacle.ts';
import { isNull, isPressure, JOURNAL_STREAM, logStreamInodes, obstaclesOf } from '../../../src/survey/rules.ts';
import { parseProfile } from '../../../src/survey/task.ts';
import type { OpenFile, Task } from '../../../src/model/task.ts';
import type { Properties } from '../../../src/tools/systemctl.ts';
import {
  characterDevice,
  facts,
  inNamespace,
  mount,
  openFile,
  pipeFile,
  socketFile,
  task,
  unixSocket,
} from './builders.ts';

const UNIT = 'work.service';

function obstacles(tasks: readonly Task[], around: Facts = facts(tasks), properties: Properties = {}): Obstacle[] {
  return obstaclesOf({ unit: UNIT, properties, tasks, facts: around });
}

const withFile = (file: OpenFile): Obstacle[] => obstacles([task(4000, { files: [file] })]);
const anonymous = (name: string): OpenFile => openFile({ target: `anon_inode:${name}`, kind: 'other' });

test('an ordinary service with files, sockets, pipes, timers and a log has no obstacle', () => {
  const files = [
    characterDevice('/dev/null', 1, 3),
    characterDevice('/dev/urandom', 1, 9),
    openFile({ target: '/var/log/work.log' }),
    openFile({ target: '/tmp/gone (deleted)' }),
    ...['[eventfd]', '[eventpoll]', '[timerfd]', '[signalfd]', '[fanotify]', '[pidfd]', 'inotify'].map(anonymous),
    ...[11, 12, 13, 14, 16].map(socketFile),
    pipeFile(21),
  ];
  const journald = task(400, { comm: 'systemd-journal', files: [socketFile(91)] });
  const tasks = [task(4000, { files, threads: [4000, 4001] }), task(4005, { parent: 4000, files: [pipeFile(21), socketFile(15)] })];
  const unix = [
    unixSocket(11, { state: 'LISTEN', path: '/run/work.sock' }),
    unixSocket(12, { peerInode: 91 }),
    unixSocket(91, { path: JOURNAL_STREAM, peerInode: 12 }),
    unixSocket(13, { type: 'u_dgr', peerInode: 92 }),
    unixSocket(92, { type: 'u_dgr', path: '/run/systemd/notify' }),
    unixSocket(14, { peerInode: 15 }),
    unixSocket(15, { peerInode: 14 }),
  ];
  const around = facts([journald, ...tasks], { unix });

  expect(obstacles(tasks, around)).toEqual([]);
});

test('a sandbox with namespaces of its own, PrivateUsers=yes among them, is no obstacle', () => {
  const namespaces = { ...inNamespace('user'), mnt: 'mnt:[5]', net: 'net:[5]', ipc: 'ipc:[5]', uts: 'uts:[5]', cgroup: 'cgroup:[5]' };
  const tasks = [task(4000, { namespaces }), task(4001, { namespaces })];

  expect(obstacles(tasks, facts(tasks), { PrivateUsers: 'yes' })).toEqual([]);
});

test('a file of a server that does not answer is an obstacle, for nobody else', () => {
  const mounts = [mount('/home', { id: 30, device: '0:50', type: 'nfs4' }), mount('/srv', { id: 31, device: '0:51', type: 'nfs4' })];
  const tasks = [task(4000, { mounts, paths: ['/home/a'] })];
  expect(obstacles(tasks, facts(tasks, { silent: new Set(['0:50']) }))).toEqual([{ kind: 'silent-server', pid: 4000, path: '/home', type: 'nfs4' }]);
  expect(obstacles(tasks, facts(tasks, { silent: new Set(['0:51']) }))).toEqual([]);
});

test('a process with io_uring is an obstacle', () => {
  expect(withFile(anonymous('[io_uring]'))).toEqual([{ kind: 'io_uring', pid: 4000 }]);
});

test('a virtual machine is an obstacle, whichever of its files is found', () => {
  for (const name of ['kvm-vm', 'kvm-vcpu:0']) expect(withFile(anonymous(name))).toEqual([{ kind: 'virtual-machine' }]);
});

test('an anonymous inode that CRIU does not know is an obstacle', () => {
  for (const name of ['bpf-map', 'bpf-prog', '[userfaultfd]', '[perf_event]', 'seccomp notify', 'landlock-ruleset']) {
    expect(withFile(anonymous(name))).toEqual([{ kind: 'file', pid: 4000, fd: 3, target: `anon_inode:${name}` }]);
  }
});

test('an open namespace or message queue is an obstacle', () => {
  for (const target of ['net:[4026531840]', 'mnt:[4026531841]', '/dev/mqueue/work']) {
    expect(withFile(openFile({ target }))).toEqual([{ kind: 'file', pid: 4000, fd: 3, target }]);
  }
});

test('a block device is an obstacle, also when it has the numbers of /dev/null', () => {
  const disk = openFile({ target: '/dev/sda', kind: 'block-device', major: 1, minor: 3 });
  expect(withFile(disk)).toEqual([{ kind: 'device', pid: 4000, path: '/dev/sda' }]);
});

test('a character device is an obstacle but for null, zero, full, random and urandom', () => {
  for (const minor of [3, 5, 7, 8, 9]) expect(withFile(characterDevice('/dev/x', 1, minor))).toEqual([]);
  for (const [path, major, minor] of [['/dev/mem', 1, 1], ['/dev/kmsg', 1, 11], ['/dev/fuse', 10, 229], ['/dev/rtc0', 252, 3]] as const) {
    expect(withFile(characterDevice(path, major, minor))).toEqual([{ kind: 'device', pid: 4000, path }]);
  }
});

test('a terminal is an obstacle, real or not', () => {
  for (const [path, major, minor] of [['/dev/tty1', 4, 1], ['/dev/tty', 5, 0], ['/dev/ptmx', 5, 2], ['/dev/pts/0', 136, 0], ['/dev/pts/2000', 143, 208]] as const) {
    expect(withFile(characterDevice(path, major, minor))).toEqual([{ kind: 'terminal', pid: 4000, path }]);
  }
});

test('a unix connection to a process outside of the workload is an obstacle that names the process and its path', () => {
  const own = task(4000, { files: [socketFile(11)] });
  const bus = task(500, { comm: 'dbus-daemon', files: [socketFile(12)] });
  const unix = [unixSocket(11, { peerInode: 12 }), unixSocket(12, { peerInode: 11, path: '/run/dbus/system_bus_socket' })];

  expect(obstacles([own], facts([own, bus], { unix }))).toEqual([
    { kind: 'unix-peer', pid: 4000, peer: 'dbus-daemon (500) at /run/dbus/system_bus_socket' },
  ]);
  expect(obstacles([own, bus], facts([own, bus], { unix }))).toEqual([]);
});

test('a pipe to a process outside of the workload is an obstacle', () => {
  const own = task(4000, { files: [pipeFile(21)] });
  const other = task(500, { comm: 'tee', files: [pipeFile(21)] });

  expect(obstacles([own], facts([own, other]))).toEqual([{ kind: 'pipe-peer', pid: 4000, peer: 'tee (500)' }]);
  expect(obstacles([own, other])).toEqual([]);
});

test('a socket of a kind that CRIU cannot image is an obstacle', () => {
  const own = task(4000, { files: [socketFile(31)] });

  expect(obstacles([own], facts([own], { foreignSockets: new Set([31]) }))).toEqual([{ kind: 'socket-kind', pid: 4000, inode: 31 }]);
  expect(obstacles([own], facts([own], { foreignSockets: new Set([32]) }))).toEqual([]);
});

test('a listening socket that systemd holds too is an obstacle if a socket unit triggers the service', () => {
  const init = task(1, { comm: 'systemd', files: [socketFile(41)] });
  const own = task(4000, { files: [socketFile(41)] });
  const around = facts([own], { init });

  expect(obstacles([own], around, { TriggeredBy: 'work.timer work.socket' })).toEqual([{ kind: 'socket-activated', socket: 'work.socket' }]);
  expect(obstacles([own], around, { TriggeredBy: 'work.timer' })).toEqual([]);
  expect(obstacles([own], facts([own]), { TriggeredBy: 'work.socket' })).toEqual([]);
});

test('SysV shared memory is an obstacle if a process outside has the same segment in the same namespace', () => {
  const own = task(4000, { sysvSegments: [7] });
  const sameSegment = task(500, { comm: 'other', sysvSegments: [7] });

  expect(obstacles([own], facts([own, sameSegment]))).toEqual([{ kind: 'sysv-shared', what: 'SysV shared memory', peer: 'other (500)' }]);
  expect(obstacles([own], facts([own, { ...sameSegment, namespaces: inNamespace('ipc') }]))).toEqual([]);
  expect(obstacles([own], facts([own, { ...sameSegment, sysvSegments: [8] }]))).toEqual([]);
});

test('a PID namespace of its own is an obstacle', () => {
  const tasks = [task(4000), task(4001, { namespaces: inNamespace('pid') })];
  expect(obstacles(tasks)).toEqual([{ kind: 'namespace', namespace: 'PID' }]);
});

test('a namespace inside the sandbox is an obstacle', () => {
  for (const name of ['mnt', 'net', 'ipc', 'user', 'uts', 'cgroup'] as const) {
    const tasks = [task(4000), task(4001, { namespaces: inNamespace(name) })];
    expect(obstacles(tasks)).toEqual([{ kind: 'namespace', namespace: `nested ${name}` }]);
  }
});

test('a user namespace is an obstacle unless PrivateUsers=yes made it', () => {
  const tasks = [task(4000, { namespaces: inNamespace('user') })];
  for (const PrivateUsers of ['', 'no', 'identity', 'full', 'managed']) {
    expect(obstacles(tasks, facts(tasks), { PrivateUsers })).toEqual([{ kind: 'user-namespace' }]);
  }
});

test('another root is an obstacle, by its unit or by what a process did', () => {
  const own = task(4000);
  expect(obstacles([own], facts([own]), { RootDirectory: '/srv/root' })).toEqual([{ kind: 'root-directory', path: '/srv/root' }]);
  expect(obstacles([own], facts([own]), { RootImage: '/srv/root.raw' })).toEqual([{ kind: 'root-directory', path: '/srv/root.raw' }]);
  expect(obstacles([task(4000, { root: '/var/empty' })])).toEqual([{ kind: 'root-directory', path: '/var/empty' }]);
});

test('a process, thread, group or session id that the new kernel may need is an obstacle', () => {
  for (const parts of [{ threads: [4000, 299] }, { processGroup: 299 }, { session: 299 }]) {
    expect(obstacles([task(4000, parts)])).toEqual([{ kind: 'low-pid', pid: 299, reserved: 300 }]);
  }
  expect(obstacles([task(300)])).toEqual([]);
});

test('a process whose group and session are outside of its PID namespace has no low id', () => {
  expect(obstacles([task(4000, { processGroup: 0, session: 0 })])).toEqual([]);
});

test('a traced process is an obstacle', () => {
  expect(obstacles([task(4000, { tracer: 77 })])).toEqual([{ kind: 'traced', pid: 4000, tracer: 77 }]);
});

test('a process whose first code is in shared memory is an obstacle', () => {
  expect(obstacles([task(4000, { comm: 'php-fpm8.4', firstCodeShared: true })])).toEqual([{ kind: 'shared-code', pid: 4000, comm: 'php-fpm8.4' }]);
});

test('descriptors that systemd keeps for the service are an obstacle', () => {
  const own = task(4000);
  expect(obstacles([own], facts([own]), { NFileDescriptorStore: '3' })).toEqual([{ kind: 'descriptor-store', count: 3 }]);
  expect(obstacles([own], facts([own]), { NFileDescriptorStore: '0' })).toEqual([]);
});

test('who is being started or stopped is an obstacle; a job may have one command, and be at it', () => {
  const own = task(4000);
  const job = { ActiveState: 'activating', Type: 'oneshot', SubState: 'start', ExecStart: '{ path=/bin/a }', ExecStartPost: '' };
  const found = (properties: Record<string, string>) => obstacles([own], facts([own]), properties);
  for (const properties of [{ ActiveState: 'active' }, { ActiveState: 'reloading' }, job]) expect(found(properties)).toEqual([]);
  for (const properties of [{ ActiveState: 'deactivating' }, { ActiveState: 'activating', Type: 'notify' }, { ...job, ExecStart: '{ path=/bin/a }\n{ path=/bin/b }' }, { ...job, ExecStartPost: '{ path=/bin/a }' }, { ...job, SubState: 'start-pre' }]) expect(found(properties)).toMatchObject([{ kind: 'under-way' }]);
});

test('a profile of AppArmor that cannot be loaded again is an obstacle', () => {
  const found = (label: string) => {
    const own = task(4000, parseProfile(label));
    return obstacles([own], facts([own], { profiles: new Set(['named', 'unconfined']) }));
  };
  for (const label of ['', 'unconfined\n', 'named (enforce)\n', 'named (complain)\n', 'named//hat (complain)\n', 'unconfined (complain)\n', 'named (unconfined)\0']) expect(found(label)).toEqual([]);
  for (const profile of ['other', ':web:named', 'named//&other', 'a (b) c']) expect(found(`${profile} (complain)\n`)).toEqual([{ kind: 'confinement', pid: 4000, profile }]);
});

test('what the kernel holds behind a socket, and virtual servers, are an obstacle', () => {
  const own = task(4000, { comm: 'keepalived_ipvs', files: [socketFile(7)] });
  expect(obstacles([own], facts([own], { kernelState: new Map([[7, 'tunnels of IPsec (xfrm)']]) }))).toEqual([{ kind: 'kernel-state', pid: 4000, what: 'tunnels of IPsec (xfrm)' }]);
  expect(obstacles([own], facts([own], { virtualServers: true }))).toEqual([{ kind: 'kernel-state', pid: 4000, what: 'virtual servers (IPVS)' }]);
  expect(obstacles([own], facts([own]))).toEqual([]);
});

test('twenty files of a kind are one thing to say, two devices are two', () => {
  const rings = Array.from({ length: 20 }, () => anonymous('[io_uring]'));
  const devices = [characterDevice('/dev/fuse', 10, 229), characterDevice('/dev/fuse', 10, 229), characterDevice('/dev/mem', 1, 1)];

  expect(obstacles([task(4000, { files: [...rings, ...devices] }), task(4001, { files: rings })])).toEqual([
    { kind: 'io_uring', pid: 4000 },
    { kind: 'device', pid: 4000, path: '/dev/fuse' },
    { kind: 'device', pid: 4000, path: '/dev/mem' },
  ]);
});

test('the streams to the journal are found once each, whoever holds them', () => {
  const tasks = [task(4000, { files: [socketFile(12), socketFile(13)] }), task(4001, { files: [socketFile(12)] })];
  const unix = [unixSocket(12, { peerInode: 91 }), unixSocket(91, { path: JOURNAL_STREAM }), unixSocket(13, { peerInode: 92 }), unixSocket(92, { path: '/run/other' })];

  expect(logStreamInodes({ tasks, facts: facts(tasks, { unix }) })).toEqual([12]);
});

test('pressure files are those of a cgroup and of the machine, not others of that name', () => {
  for (const target of ['/sys/fs/cgroup/system.slice/work.service/memory.pressure', '/proc/pressure/cpu']) {
    expect(isPressure(openFile({ target }))).toBe(true);
  }
  expect(isPressure(openFile({ target: '/home/memory.pressure' }))).toBe(false);
  expect(isPressure(openFile({ target: '/proc/pressure', kind: 'other' }))).toBe(false);
});

test('/dev/null is known by its numbers', () => {
  expect(isNull(characterDevice('/somewhere/null', 1, 3))).toBe(true);
  expect(isNull(characterDevice('/dev/null', 1, 5))).toBe(false);
  expect(isNull(openFile({ target: '/dev/null' }))).toBe(false);
});
