import { existsSync } from 'node:fs';
import type { Obstacle } from '../failure/obstacle.ts';
import { ok, type Result } from '../failure/result.ts';
import { probeInside } from '../tools/criu.ts';
import { busyUnits } from '../tools/cgroup.ts';
import { activeUnits, hasEnded, show, type Properties } from '../tools/systemctl.ts';
import { socketsHeld, type Facts } from './facts.ts';
import { mountsThatGo, servedMounts } from '../state/mounts.ts';
import { platformReason } from '../model/platform.ts';
import { readFacts, readIfThere } from './read-facts.ts';
import { ownProcesses } from './own.ts';
import { renamedSockets } from './renamed-sockets.ts';
import { isNull, isPressure, logStreamInodes, obstaclesOf } from './rules.ts';
import type { NamespaceName, OpenFile, Task } from '../model/task.ts';
import type { Survey } from '../model/survey.ts';
import type { Afresh, FileKey, Tree, UnitFile, Workload } from '../model/workload.ts';

/** A manager of other people's units, or of containers: its cgroup holds more than one workload. */
const USER_MANAGER = /^user@\d+\.service$/;
const CONTAINER = /^(docker|libpod|crio|cri-containerd|machine|lxc)-.*\.scope$|^systemd-nspawn@.*\.service$/;
const ENTERED: readonly NamespaceName[] = ['mnt', 'uts', 'net', 'ipc', 'cgroup'];
/** Content of these comes with the kernel or with systemd, not with the workload. */
const GIVEN_MOUNTS = /^\/(dev|proc|sys|run\/credentials)(\/|$)/;

const fileKey = (file: OpenFile): FileKey => `${file.mountId.toString(16)}:${file.inode.toString(16)}`;

/** The files as they are on disk now: as systemd would read them at the next start. */
function unitFilesOf(properties: Properties): UnitFile[] {
  const paths = [properties['FragmentPath'] ?? '', ...(properties['DropInPaths'] ?? '').split(' ')].filter(Boolean);
  return paths.map((path) => ({ path, content: readIfThere(path) }));
}

function treesOf(tasks: readonly Task[]): Tree[] {
  const inside = new Map(tasks.map((task) => [task.pid, task]));
  const rootOf = (task: Task): Task => {
    const parent = inside.get(task.parent);
    return parent === undefined ? task : rootOf(parent);
  };
  return tasks.filter((task) => !inside.has(task.parent)).map((root) => ({ root, tasks: tasks.filter((task) => rootOf(task) === root) }));
}

function describeWorkload(properties: Properties, tasks: readonly Task[], subgroups: readonly string[], facts: Facts, own: ReadonlySet<number>): Workload {
  const unit = properties['Id'] ?? '';
  const trees = treesOf(tasks);
  const first = tasks[0]!;
  const differs = (name: NamespaceName): boolean => first.namespaces[name] !== facts.init.namespaces[name];
  // After an earlier upgrade a namespace may be CRIU's work and not the unit's: then it is in the image again.
  const builtByUnit = (name: NamespaceName): boolean => name !== 'ipc' || properties['PrivateIPC'] === 'yes';
  const files = tasks.flatMap((task) => task.files);
  const hostDevices = new Map(facts.init.mounts.map((mount) => [`${mount.device} ${mount.path}`, mount.root]));
  const mountIds = new Set(first.mounts.map((mount) => mount.id));
  const subject = { unit, properties, tasks, facts };
  const obstacles: Obstacle[] = tasks.some(({ pid }) => own.has(pid)) ? [{ kind: 'runs-segue' }] : obstaclesOf(subject);
  const deepest = subgroups[0];
  if (deepest !== undefined) obstacles.push(USER_MANAGER.test(unit) ? { kind: 'user-manager' } : { kind: 'sub-cgroups', path: deepest });
  if (CONTAINER.test(unit)) obstacles.push({ kind: 'container' });
  else if (unit.endsWith('.scope')) obstacles.push({ kind: 'scope' });
  return {
    unit,
    description: properties['Description'] ?? '',
    properties,
    unitFiles: unitFilesOf(properties),
    trees,
    mainPid: Number(properties['MainPID'] ?? 0) || first.pid,
    controlGroup: properties['ControlGroup'] ?? '',
    entered: ENTERED.filter((name) => differs(name) && builtByUnit(name)),
    detachIpc: !differs('ipc') && tasks.some((task) => task.sysvSegments.length > 0),
    privateUsers: differs('user'),
    logStreams: logStreamInodes(subject),
    outsideFiles: [...new Set(files.filter((file) => isNull(file) && !mountIds.has(file.mountId)).map(fileKey))],
    pressureFiles: [...new Map(files.filter(isPressure).map((file) => [fileKey(file), { key: fileKey(file), path: file.target }])).values()],
    renamedSockets: renamedSockets(tasks, facts.unix),
    privateMounts: differs('mnt')
      ? first.mounts.filter((mount) => !GIVEN_MOUNTS.test(mount.path) && (mount.root.includes('/systemd-private-') || (mount.type === 'tmpfs' && mount.root === '/' && !hostDevices.has(`${mount.device} ${mount.path}`))))
      : [],
    served: tasks.some((task) => servedMounts(task).length > 0),
    sockets: differs('net') ? [] : socketsHeld(files, facts.inet),
    memory: tasks.reduce((sum, task) => sum + task.memory, 0),
    obstacles,
  };
}

/** A user manager with nothing but itself in it ends and starts like any login session. */
const isIdleUserManager = (unit: string, subgroups: readonly string[]): boolean =>
  USER_MANAGER.test(unit) && subgroups.every((path) => /\/(init\.scope|dbus\.socket|dbus\.service|session\.slice\/dbus\.service|app\.slice\/(gpg-agent|dbus).*)$/.test(path));

/** Looks at the whole machine and touches nothing. Needs root. */
export async function survey(): Promise<Result<Survey>> {
  const [units, mountUnits] = await Promise.all([activeUnits(['service', 'scope']), activeUnits(['mount'])]);
  if (!units.ok) return units;
  if (!mountUnits.ok) return mountUnits;
  const [shown, shownMounts, read] = await Promise.all([show(units.value), show(mountUnits.value, ['Where', 'FragmentPath']), readFacts()]);
  if (!shown.ok) return shown;
  if (!shownMounts.ok) return shownMounts;
  if (!read.ok) return read;
  // Without a file that is there also tomorrow it is a mount that somebody has made by hand, and systemd has only noticed.
  const lasts = (path: string | undefined): boolean => Boolean(path) && !path!.startsWith('/run/systemd/transient/');
  const mountedByUnits = new Set(shownMounts.value.flatMap(({ Where, FragmentPath }) => (lasts(FragmentPath) ? (Where ?? []) : [])));
  const facts = { ...read.value, mountsThatGo: mountsThatGo({ hostMounts: read.value.init.mounts, mountedByUnits }) };

  const own = ownProcesses(facts.tasks);
  const found: Workload[] = [];
  const afresh: Afresh[] = [];
  for (const properties of shown.value) {
    const unit = properties['Id'] ?? '';
    const controlGroup = properties['ControlGroup'] ?? '';
    if (controlGroup === '') continue; // a oneshot that has ended: nothing runs
    const tasks = [...facts.tasks.values()].filter((task) => task.controlGroup === controlGroup || task.controlGroup.startsWith(`${controlGroup}/`)).sort((a, b) => a.startTime - b.startTime || a.pid - b.pid);
    const subgroups = [...new Set(tasks.map((task) => task.controlGroup))].filter((group) => group !== controlGroup);
    if (tasks.length === 0) continue;
    const why = platformReason(unit, properties)
      ?? (isIdleUserManager(unit, subgroups) ? 'is a user manager without units of its own' : undefined)
      ?? (tasks.every(({ pid }) => own.has(pid)) ? 'runs segue, and ends with it' : undefined);
    if (why !== undefined) afresh.push({ unit, description: properties['Description'] ?? '', why });
    else found.push(describeWorkload(properties, tasks, subgroups, facts, own));
  }
  const workloads = await Promise.all(found.map(async (workload): Promise<Workload> => {
    const sandboxed = workload.obstacles.length === 0 && workload.entered.includes('mnt');
    const { pid } = workload.trees[0]!.root;
    const error = sandboxed ? await probeInside(pid, workload.entered) : undefined;
    if (error === undefined) return workload;
    return { ...workload, obstacles: [existsSync(`/proc/${pid.toString()}`) ? { kind: 'sandbox-hides-criu', error } : { kind: 'ended', pid }] };
  }));
  // What has ended, but for processes that its KillMode= left: nothing starts those again, or keeps them.
  const known = new Set(units.value);
  const left = await show(busyUnits((name) => !known.has(name) && platformReason(name, {}) === undefined), ['ActiveState', 'Description']);
  if (!left.ok) return left;
  // One that has begun meanwhile is none of these: it is waited for, or has the upgrade given up.
  for (const { Id: unit = '', Description: description = '' } of left.value.filter(hasEnded)) afresh.push({ unit, description, why: 'is not active; what is left of it ends' });
  const byUnit = (a: { unit: string }, b: { unit: string }): number => a.unit.localeCompare(b.unit);
  return ok({
    workloads: workloads.sort(byUnit),
    afresh: afresh.sort(byUnit),
    hostMounts: facts.init.mounts,
    mountedByUnits,
    reservedPids: facts.reservedPids,
  });
}
