import { expect, test } from 'vitest';
import { describe as describeObstacle, type Obstacle } from '../../../src/failure/obstacle.ts';
import { planSetup } from '../../../src/survey/setup.ts';
import { survey, workload } from './builders.ts';

const ring: Obstacle = { kind: 'io_uring', pid: 4000 };
const low: Obstacle = { kind: 'low-pid', pid: 200, reserved: 300 };
const terminal: Obstacle = { kind: 'terminal', pid: 4000, path: '/dev/tty1' };

test('without obstacles there is nothing to set up', () => {
  expect(planSetup(survey([workload('a.service')]))).toEqual({ steps: [], restart: [] });
});

test('io_uring is turned off for good and for now, once, and each service that uses it needs a restart', () => {
  const setup = planSetup(survey([workload('a.service', { obstacles: [ring] }), workload('b.service', { obstacles: [ring] })]));

  expect(setup.restart).toEqual(['a.service', 'b.service']);
  expect(setup.steps.map(({ action }) => action)).toEqual([
    expect.objectContaining({ kind: 'write', path: '/etc/sysctl.d/60-segue.conf', content: expect.stringMatching(/^kernel\.io_uring_disabled = 2$/m) as string }),
    { kind: 'run', argv: ['sysctl', '--quiet', '--write', 'kernel.io_uring_disabled=2'] },
  ]);
});

test('the process ids below 3000 are reserved, and more where the kernel needs more', () => {
  const reservation = (reservedPids: number): unknown =>
    planSetup(survey([workload('a.service', { obstacles: [low] })], { reservedPids })).steps.at(-1)?.action;

  expect(reservation(300)).toEqual({ kind: 'run', argv: ['sysctl', '--quiet', '--write', 'kernel.ns_last_pid=3000'] });
  expect(reservation(5000)).toEqual({ kind: 'run', argv: ['sysctl', '--quiet', '--write', 'kernel.ns_last_pid=5000'] });
});

test('a service that a restart would not help is not restarted', () => {
  const setup = planSetup(survey([workload('a.service', { obstacles: [ring, terminal] }), workload('b.service', { obstacles: [terminal] })]));

  expect(setup.restart).toEqual([]);
  expect(setup.steps).toHaveLength(2);
});

test('an obstacle of every kind says why in one line and names a remedy', () => {
  const every: Record<Obstacle['kind'], Obstacle> = {
    io_uring: ring,
    file: { kind: 'file', pid: 1, fd: 5, target: 'anon_inode:bpf-map' },
    device: { kind: 'device', pid: 1, path: '/dev/fuse' },
    terminal,
    'unix-peer': { kind: 'unix-peer', pid: 1, peer: 'dbus-daemon (500)' },
    'pipe-peer': { kind: 'pipe-peer', pid: 1, peer: 'tee (500)' },
    'socket-kind': { kind: 'socket-kind', pid: 1, inode: 31 },
    'socket-activated': { kind: 'socket-activated', socket: 'work.socket' },
    'sysv-shared': { kind: 'sysv-shared', what: 'SysV shared memory', peer: 'other (500)' },
    namespace: { kind: 'namespace', namespace: 'PID' },
    'user-namespace': { kind: 'user-namespace' },
    'root-directory': { kind: 'root-directory', path: '/srv/root' },
    mount: { kind: 'mount', pid: 1, path: '/tank/www', type: 'zfs' },
    'silent-server': { kind: 'silent-server', pid: 1, path: '/mnt/home', type: 'nfs4' },
    'sub-cgroups': { kind: 'sub-cgroups', path: '/system.slice/a.service/b' },
    'low-pid': low,
    traced: { kind: 'traced', pid: 1, tracer: 2 },
    'shared-code': { kind: 'shared-code', pid: 1, comm: 'php-fpm8.4' },
    'descriptor-store': { kind: 'descriptor-store', count: 3 },
    ended: { kind: 'ended', pid: 42 },
    'runs-segue': { kind: 'runs-segue' },
    'under-way': { kind: 'under-way', how: 'is being stopped' },
    confinement: { kind: 'confinement', pid: 1, profile: 'named' },
    'kernel-state': { kind: 'kernel-state', pid: 1, what: 'tunnels of IPsec (xfrm)' },
    'sandbox-hides-criu': { kind: 'sandbox-hides-criu', error: 'Permission denied' },
    'user-manager': { kind: 'user-manager' },
    container: { kind: 'container' },
    scope: { kind: 'scope' },
    'virtual-machine': { kind: 'virtual-machine' },
  };
  expect(Object.fromEntries(Object.entries(every).map(([kind, obstacle]) => [kind, describeObstacle(obstacle)]))).toMatchSnapshot();
  for (const obstacle of Object.values(every)) {
    const { why, remedy } = describeObstacle(obstacle);
    for (const said of [why, remedy]) expect(said).toMatch(/^[^\n]{5,}$/);
  }
});
