import { basename } from 'node:path';
import { failed, ok, type Result } from '../failure/result.ts';
import { dumpCommand, nsenterOptions, restoreArguments, restoreDescriptors, type DumpOrder } from '../tools/criu.ts';
import { holdScript, listeningPorts, lockScript } from '../tools/nft.ts';
import { archive, archiveName } from '../tools/tar.ts';
import { spellRegion } from '../tools/memmap.ts';
import type { Vault } from '../tools/vault.ts';
import type { Kernel } from '../survey/kernels.ts';
import { keyScript, withKey } from '../initramfs/key.ts';
import type { Initramfs } from '../model/initramfs.ts';
import type { StoreChoice } from '../model/store.ts';
import type { Survey } from '../model/survey.ts';
import type { WatchdogChoice } from '../model/watchdog.ts';
import { setServiceWatchdogs } from '../tools/systemctl.ts';
import { setWatchdog } from '../tools/watchdog.ts';
import type { Tree, Workload } from '../model/workload.ts';
import { firstFreePid, lastingCommandLine, newCommandLine } from './command-line.ts';
import { complaining, isConfined } from '../state/apparmor.ts';
import { ownSettings } from './own-settings.ts';
import { LANES_PER_PROCESSOR, oneByOne, restoredAfter } from './lanes.ts';
import { byPriority, REQUIRED, type Group } from './priority.ts';
import { restoreUnit } from './restore-unit.ts';
import { HANDOVER_FORMAT, handoverPaths, WAY_BACK, type HandoverPaths, type WayBackPolicy } from '../model/handover.ts';
import { NO_LIMIT, type Action, type ProvableWorkload, type SealedWorkload, type Step } from '../model/step.ts';

export interface PlanOptions {
  readonly id: string;
  readonly store: string;
  /** Where the hand-over is to live across the jump. */
  readonly keptIn: StoreChoice;
  readonly from: string;
  readonly to: Kernel;
  /** The running kernel's files, where they are still installed. */
  readonly back?: Kernel | undefined;
  /** Chosen by what the machine is, unless it is given. */
  readonly initramfs: Initramfs;
  /** Whether memory is imaged beforehand, while everything runs. */
  readonly prepare: boolean;
  /** The part of a processor that each unit has had lately: who sleeps is imaged first. */
  readonly activity: ReadonlyMap<string, number>;
  /** The limit of the processors that each unit has: its `cpu.max` (cgroup-v2.rst). */
  readonly limits: ReadonlyMap<string, string>;
  readonly wayBack: WayBackPolicy;
  readonly watchdog: WatchdogChoice;
  /** Whether systemd ends services that do not report to it in time (WatchdogSec= of systemd.service(5)). */
  readonly endsSilentServices: boolean;
  readonly keepImages: number;
  /** Units that are started afresh in any case, and run. */
  readonly afresh: readonly string[];
  readonly machine: { readonly machineId: string; readonly bootId: string; readonly commandLine: string; readonly pidMax: number; readonly reservedPids: number; readonly lastPid: number; readonly processors: number; readonly hugePagesPace?: number | undefined };
}

export interface Plan {
  readonly id: string;
  readonly from: string;
  readonly to: Kernel;
  readonly paths: HandoverPaths;
  readonly keptIn: StoreChoice;
  readonly carried: readonly Workload[];
  /** Stopped before the jump as the administrator allowed, and started afresh. */
  readonly stopped: readonly Workload[];
  readonly wayBack: WayBackPolicy;
  readonly watchdog: WatchdogChoice;
  /** Units that the new kernel must be able to restore, and whether the old one is started again if it is not. */
  readonly required: readonly string[];
  readonly turnsBack: boolean;
  readonly keepImages: number;
  readonly steps: readonly Step[];
}

/** How long disks may take to write what is in memory: all of it, while nobody waits, and then what has come since. */
const SYNC_SECONDS = { before: 240, parked: 60 };

/** How long whoever forbids a shutdown has time to come to an end. */
const INHIBITOR_SECONDS = { before: 60, parked: 5 };

/** How long a job that has begun since (of a timer, mostly) has time to end: while everybody runs, and while everybody waits. */
const NEWCOMER_SECONDS = { before: 60, parked: 5 };

const HOUR = 3_600_000;

/** For files on a disk, of which nobody knows how many there are. */
const ARCHIVE_SECONDS = 600;

/** How long a program has to accept the connections that wait for it, seconds. */
const DRAIN_SECONDS = 15;

/** A smaller tree is imaged in the stoppage as fast as CRIU would find out what has changed, bytes. */
const WORTH_A_SNAPSHOT = 16 * 2 ** 20;
/** Who has had less than this part of a processor lately sleeps, but for a look at the clock now and then. */
const SLEEPS = 0.01;
/** While one of them is looked at once more, those who are parked wait. */
const WORTH_A_LAST_ROUND = 256 * 2 ** 20;
/** All the rounds of a snapshot may write this many times the memory of the tree. */
const SNAPSHOT_BUDGET = 1.5;

const memoryOf = (tree: Tree): number => tree.tasks.reduce((sum, { memory }) => sum + memory, 0);

/** Bytes that the store must have free: the memory of the workloads, so many bytes of files on tmpfs, and room for CRIU's logs. */
export function neededBytes(workloads: readonly Workload[], files: number, prepare: boolean): number {
  const memory = workloads.reduce((sum, workload) => sum + workload.memory, 0);
  return memory * (1.1 + (prepare ? SNAPSHOT_BUDGET : 0)) + files + 64 * 2 ** 20;
}

const write = (path: string, content: string): Extract<Action, { kind: 'write' }> => ({ kind: 'write', path, content });
const run = (argv: readonly string[], input?: string): Run => ({ kind: 'run', argv, ...(input === undefined ? {} : { input }) });
type Run = Extract<Action, { kind: 'run' }>;
/** While everybody stands still; a disk that does not answer may be the reason. */
const inTime = (action: Run): Run => ({ ...action, limitSeconds: SYNC_SECONDS.parked });

export interface Chosen {
  readonly carried: readonly Workload[];
  readonly stopped: readonly Workload[];
}

/** Who is carried and who is not; fails when one is neither carried nor allowed to be started afresh. */
export function choose(survey: Survey, afresh: readonly string[]): Result<Chosen> {
  const named = afresh.map((unit) => (/\.(service|scope)$/.test(unit) ? unit : `${unit}.service`));
  const unknown = named.find((unit) => ![...survey.workloads, ...survey.afresh].some((candidate) => candidate.unit === unit));
  if (unknown !== undefined) return failed({ reason: 'unit-unknown', unit: unknown });
  const stopped = survey.workloads.filter(({ unit }) => named.includes(unit));
  const rest = survey.workloads.filter(({ unit }) => !named.includes(unit));
  const blocked = rest.filter(({ obstacles }) => obstacles.length > 0);
  return blocked.length > 0 ? failed({ reason: 'obstacles', blocked }) : ok({ carried: rest, stopped });
}

/** Whether it can be imaged while it runs. A profile that forbids that is not to let everybody do what it forbids meanwhile. */
const mayBeHeld = (workload: Workload): boolean => ownSettings(workload).snapshot && !isConfined(workload);

const snapshotsOf = (workload: Workload, tree: Tree, paths: HandoverPaths): string => `${paths.tree(workload.unit, tree.root.pid)}/snapshots`;
function order(workload: Workload, tree: Tree, paths: HandoverPaths, prepare: boolean): DumpOrder {
  return {
    pid: tree.root.pid,
    images: `${paths.tree(workload.unit, tree.root.pid)}/images`,
    entered: workload.entered,
    detachIpc: workload.detachIpc,
    external: [
      ...workload.logStreams.map((inode) => ({ kind: 'stream' as const, inode })),
      ...workload.outsideFiles.map((key) => ({ kind: 'null' as const, key })),
      ...workload.pressureFiles.map((file) => ({ kind: 'pressure' as const, ...file })),
    ],
    shellJob: tree.tasks.some((task) => !tree.tasks.some((leader) => leader.pid === task.session)),
    memory: memoryOf(tree),
    ...(prepare && mayBeHeld(workload) ? { snapshots: snapshotsOf(workload, tree, paths) } : {}),
  };
}

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];
const lines = (items: readonly string[]): string => items.map((item) => `${item}\n`).join('');

/** What boot/restore reads about a workload, and the drop-in that calls it. */
function handoverOf(workload: Workload, paths: HandoverPaths, before: readonly string[]): Step[] {
  const { unit, trees } = workload;
  const folder = paths.workload(unit);
  // They are part of that unit already; a link to /dev/null masks one of the same name (systemd.unit(5)).
  const dropIns = unique(workload.unitFiles.slice(1).map(({ path }) => basename(path)));
  const file = (title: string, path: string, content: string): Step => ({ phase: 'prepare', unit, title, action: write(path, content) });
  return [
    file('prepare the unit that restores it', `${paths.units}/${unit}`, restoreUnit(workload, before, ownSettings(workload).required)),
    ...dropIns.map((name): Step => ({ phase: 'prepare', unit, title: `leave its drop-in ${name} out`, action: { kind: 'link', path: `${paths.units}/${unit}.d/${name}`, target: '/dev/null' } })),
    file('name its cgroup', `${folder}/control-group`, `${workload.controlGroup}\n`),
    file('name its main process', `${folder}/main`, `${workload.mainPid.toString()}\n`),
    file('list its trees', `${folder}/trees.list`, lines(trees.map(({ root }) => `${root.pid.toString()} ${nsenterOptions(workload.entered).join(' ')}`))),
    file('list its archives', `${folder}/files`, lines(workload.privateMounts.map(({ path }) => `${archiveName(path)} ${path}`))),
    ...trees.flatMap((tree): Step[] => [
      file(`prepare the restore of ${tree.root.pid.toString()}`, `${paths.tree(unit, tree.root.pid)}/restore.arguments`, lines(restoreArguments(order(workload, tree, paths, false)))),
      file(`list the files to open for ${tree.root.pid.toString()}`, `${paths.tree(unit, tree.root.pid)}/descriptors`, lines(restoreDescriptors(order(workload, tree, paths, false)))),
    ]),
  ];
}

export const snapshotService = (id: string): string => `segue-snapshot-${id}.service`;
const idleGroupOf = (id: string): string => `/system.slice/${snapshotService(id)}`;

const snapshotTrees = (workload: Workload, paths: HandoverPaths) =>
  workload.trees.map((tree) => ({ tree, order: order(workload, tree, paths, false), folder: snapshotsOf(workload, tree, paths), startTime: tree.root.startTime, large: memoryOf(tree) >= WORTH_A_SNAPSHOT }));

/** Rounds of the memory of its trees, as far as they are large. */
const rounds = (workload: Workload, paths: HandoverPaths, idleGroup?: string) =>
  snapshotTrees(workload, paths).filter(({ large }) => large).map(({ tree, large: _, ...each }) => ({
    phase: 'snapshot' as const,
    unit: workload.unit,
    title: `image the memory of ${tree.root.comm} (${tree.root.pid.toString()}) while it runs`,
    action: { kind: 'snapshot' as const, last: false, unit: workload.unit, controlGroup: workload.controlGroup, ...each, workload: paths.workload(workload.unit), handover: paths.handover, ...(idleGroup === undefined ? {} : { idleGroup }), budget: SNAPSHOT_BUDGET * memoryOf(tree) },
    undo: { kind: 'thaw' as const, controlGroups: [workload.controlGroup] },
  }));

/** All of a workload that sleeps. */
function wholeStep(workload: Workload, paths: HandoverPaths, idleGroup: string): Step {
  const { unit, controlGroup } = workload;
  return {
    phase: 'snapshot',
    unit,
    title: 'image all of it while it sleeps',
    action: {
      kind: 'snapshot-whole', unit, controlGroup, idleGroup, workload: paths.workload(unit), handover: paths.handover, privateUsers: workload.privateUsers, renamedSockets: workload.renamedSockets,
      hostNetwork: !workload.entered.includes('net'), trees: snapshotTrees(workload, paths).map(({ tree: _, ...each }) => each),
    },
    // No signal has stopped any of them.
    undo: { kind: 'resume', controlGroup, keepStopped: workload.trees.flatMap(({ tasks }) => tasks.map(({ pid }) => pid)) },
  };
}

/** While everybody runs, all else comes first. */
const LOWEST = 19;

/** What is encrypted is so by the kernel, in nobody's cgroup. */
const encrypting = ({ place }: StoreChoice, title: string, nice: number): Step[] =>
  place.kind === 'ram' ? [] : [{ phase: 'snapshot', title, action: { kind: 'store-nice', place, nice } }];

/** Who sleeps comes first; memory is read in a cgroup of the lowest weight: whoever else wants a processor or the disk gets it first. */
function snapshotSteps(carried: readonly Workload[], paths: HandoverPaths, { id, keptIn, prepare, activity }: PlanOptions): Step[] {
  const service = snapshotService(id);
  const lately = (workload: Workload): number => activity.get(workload.unit) ?? 0;
  const allowed = carried.filter((workload) => prepare && mayBeHeld(workload)).toSorted((a, b) => lately(a) - lately(b));
  const sleepers = allowed.filter((workload) => lately(workload) < SLEEPS && !workload.served);
  const steps = allowed.flatMap((workload): Step[] => [...rounds(workload, paths, idleGroupOf(id)), ...(sleepers.includes(workload) ? [wholeStep(workload, paths, idleGroupOf(id))] : [])]);
  if (steps.length === 0) return [];
  return [
    {
      phase: 'snapshot',
      title: 'make a cgroup of the lowest weight',
      // It may be there from when the upgrade was prepared.
      action: run(['sh', '-c', 'systemctl is-active --quiet "$0" || exec "$@"', service, 'systemd-run', '--quiet', '--collect', `--unit=${service}`, '--slice=system.slice', '--property=CPUWeight=idle', '--property=IOWeight=1', '--', 'sleep', 'infinity']),
      // Whoever was to start it may have been killed before.
      undo: run(['sh', '-c', 'systemctl stop "$0" || ! systemctl is-active --quiet "$0"', service]),
    },
    ...encrypting(keptIn, 'let everybody else come before the encryption of the images', LOWEST),
    { phase: 'snapshot', title: 'count the system calls of those who sleep', action: { kind: 'count-calls', controlGroups: sleepers.map(({ controlGroup }) => controlGroup) }, undo: { kind: 'end-snapshots' } },
    ...steps,
  ];
}

/**
 * Whoever works has written much since its snapshot: once more while it runs is cheaper than while it stands still. Before anybody
 * waits; who writes as fast as that is read is slow from then on.
 */
function slowedRounds(workloads: readonly Workload[], paths: HandoverPaths, options: PlanOptions): Step[] {
  const steps = workloads.flatMap((workload) => roundsOfBusy(workload, paths, options).map(({ action: { last: _, ...action }, ...step }): Step => {
    const limit = limitOf(workload, options);
    return {
      ...step,
      title: `${step.title}, slowed down if it writes that as fast as it is read`,
      action: { ...action, kind: 'snapshot-slowed', limit },
      undo: { kind: 'full-speed', controlGroup: workload.controlGroup, limit },
    };
  }));
  const pace = options.machine.hugePagesPace;
  const seldom: Step[] = steps.length === 0 || pace === undefined ? [] : [
    { phase: 'snapshot', title: 'have no huge pages made until all stand still', action: { kind: 'make-huge-pages', everyMilliseconds: HOUR }, undo: { kind: 'make-huge-pages', everyMilliseconds: pace } },
  ];
  return [...seldom, ...steps];
}

/** Others were parked meanwhile. */
const lastRounds = (workloads: readonly Workload[], paths: HandoverPaths, options: PlanOptions): Step[] =>
  workloads.flatMap((workload) => roundsOfBusy(workload, paths, options).map((step) => ({ ...step, phase: 'park' as const, title: `${step.title}, once more`, action: { ...step.action, last: true } })));

const roundsOfBusy = (workload: Workload, paths: HandoverPaths, options: PlanOptions) =>
  isBusy(workload, options) ? rounds(workload, paths).filter(({ action }) => action.order.memory > WORTH_A_LAST_ROUND) : [];

const mayBeSlowed = (workload: Workload, paths: HandoverPaths, options: PlanOptions): boolean => roundsOfBusy(workload, paths, options).length > 0;
const isBusy = (workload: Workload, { prepare, activity }: PlanOptions): boolean => prepare && (activity.get(workload.unit) ?? 0) >= SLEEPS && mayBeHeld(workload);
const limitOf = ({ unit }: Workload, { limits }: PlanOptions): string => limits.get(unit) ?? NO_LIMIT;

const provable = (workloads: readonly Workload[], paths: HandoverPaths): ProvableWorkload[] => workloads.map(({ unit, controlGroup }) => ({ unit, workload: paths.workload(unit), controlGroup }));

/** Of those who are parked first, before anybody waits. */
const lookStep = (phase: Step['phase'], { priority, workloads }: Group, paths: HandoverPaths): Step => ({
  phase,
  title: `look at those of priority ${priority.toString()} who were imaged while they slept`,
  action: { kind: 'look', workloads: provable(workloads, paths) },
});

/** One step for all of a group: an image that is current costs next to nothing, and there may be hundreds of them. */
const proveStep = ({ priority, workloads }: Group, paths: HandoverPaths): Step => ({
  phase: 'park',
  title: `stop those of priority ${priority.toString()} who were imaged while they slept, and see whether they sleep still`,
  action: { kind: 'prove', workloads: provable(workloads, paths) },
  undo: { kind: 'thaw', controlGroups: workloads.map(({ controlGroup }) => controlGroup) },
});

function parkSteps(workload: Workload, paths: HandoverPaths, options: PlanOptions): Step[] {
  const { unit, controlGroup } = workload;
  const slowed = mayBeSlowed(workload, paths, options);
  return workload.trees.map((tree): Step => {
    const dump = order(workload, tree, paths, options.prepare);
    return {
      phase: 'park',
      unit,
      title: `image ${tree.root.comm} (${tree.root.pid.toString()}) and leave it stopped`,
      lane: { of: 'images', name: unit },
      action: { kind: 'dump', unit, argv: dumpCommand(dump), handover: paths.handover, memory: dump.memory, images: dump.images, privateUsers: workload.privateUsers, renamedSockets: workload.renamedSockets, controlGroup, pid: tree.root.pid, startTime: tree.root.startTime, ...(slowed ? { limit: limitOf(workload, options) } : {}) },
      // Those that are stopped when it begins are found out then.
      undo: { kind: 'resume', controlGroup, keepStopped: [] },
    };
  });
}

/** Archives of mounts that are the workload's own, taken through the eyes of its first task. */
const privateArchives = (workload: Workload, paths: HandoverPaths): Step[] =>
  workload.privateMounts.map((mount) => ({
    phase: 'park',
    unit: workload.unit,
    title: `archive its ${mount.path}`,
    lane: { of: 'archives', name: `${workload.unit} ${mount.path}` },
    action: { ...run(archive(`/proc/${(workload.trees[0]?.root.pid ?? 0).toString()}/root${mount.path}`, `${paths.workload(workload.unit)}/${archiveName(mount.path)}`)), limitSeconds: ARCHIVE_SECONDS },
  }));

const sealed = (workload: Workload, paths: HandoverPaths): SealedWorkload => ({
  unit: workload.unit,
  controlGroup: workload.controlGroup,
  hostNetwork: !workload.entered.includes('net'),
  archives: workload.privateMounts.map(({ path }) => archiveName(path)),
  images: workload.trees.map((tree) => order(workload, tree, paths, false).images),
});

/**
 * One that is open when the kernel goes is renamed as damaged by the next (journalctl(1), --relinquish-var). It waits for the
 * disk, beside CRIU.
 */
const closeJournal: Step = { phase: 'park', title: "close the system's journal on disk", lane: { of: 'images', name: 'journal' }, action: inTime(run(['journalctl', '--relinquish-var'])), undo: inTime(run(['journalctl', '--flush'])) };

/**
 * What the kernel has no module for stops the upgrade before anybody is; and what it has is loaded by then, for which everybody would wait
 * otherwise. All of a check is taken back in the kernel (nft(8), `--check`).
 */
const triedLocks = (carried: readonly Workload[]): Step[] =>
  carried.length === 0 ? [] : [{ phase: 'prepare', title: 'try whether their sockets can be locked', action: run(['nft', '--check', '-f', '-'], lockScript(0, carried)) }];

/** What makes the initramfs, unless it is there already. */
const packing = (initramfs: Initramfs, to: Kernel): Step[] =>
  initramfs.kind === 'installed'
    ? []
    : [{
        phase: 'prepare',
        title: `make an initramfs for this machine and Linux ${to.release} (${initramfs.modules.map((path) => path.replace(/^.*\/|\.ko.*$/g, '')).join(', ') || 'no modules'})`,
        action: run(['sh', '-eu'], initramfs.script),
        undo: { kind: 'remove', path: initramfs.folder },
      }];

/** The key as the way back will find it: sealed while everything still runs, as that takes its time where a TPM does it. */
const sealingKey = (wayBack: WayBackPolicy, { key }: Vault): Step[] =>
  wayBack === 'afresh' ? [] : [{ phase: 'prepare', title: 'seal the key of the container to this machine', action: run(['systemd-creds', 'encrypt', '--quiet', '--name=segue', '--with-key=auto', key, sealedInMemory(key)]) }];

/** Only from here on the disk has it, and only if images are to outlive the kernel. */
const leavingKey = (wayBack: WayBackPolicy, { key, sealedKey }: Vault): Step[] =>
  wayBack === 'afresh' ? [] : [{ phase: 'jump', title: 'leave the sealed key for a boot that finds its way back', action: inTime(run(['sh', '-c', 'umask 077 && cp "$0" "$1" && sync "$1" "${1%/*}"', sealedInMemory(key), sealedKey])), undo: { kind: 'remove', path: sealedKey } }];

const sealedInMemory = (key: string): string => `${key}.sealed`;

/** What boot/turn-back reads; nothing if nobody is required, or there would be no way back. */
function turningBack(required: readonly string[], paths: HandoverPaths, { back, wayBack, machine, keptIn }: PlanOptions): Step[] {
  if (required.length === 0 || back === undefined || wayBack === 'afresh') return [];
  return [
    { phase: 'prepare', title: 'list those without whom the new kernel is of no use', action: write(`${paths.handover}/required`, lines(required)) },
    { phase: 'prepare', title: `say how Linux ${back.release} is started again`, action: write(`${paths.handover}/old-kernel`, lines([back.image, back.initrd, lastingCommandLine(machine.commandLine, keptIn.region, keptIn.region)])) },
  ];
}

/** What boot/boot loads to stop the watchdog, or to feed it, when all is back. */
const watchdogsDriver = (watchdog: WatchdogChoice, paths: HandoverPaths): Step[] =>
  watchdog.kind === 'counts' ? [{ phase: 'prepare', title: "note the watchdog's driver", action: write(`${paths.state}/watchdog`, lines(watchdog.drivers)) }] : [];

/** systemd feeds it until it ends; what is set twice is begun anew. */
function settingWatchdog(watchdog: WatchdogChoice, { release }: Kernel): Step[] {
  if (watchdog.kind === 'none' || (watchdog.kind === 'stopped' && watchdog.before === '0')) return [];
  const undo = inTime(run(setWatchdog(watchdog.before)));
  const microseconds = (seconds: number): string => (seconds * 1_000_000).toString();
  return [
    watchdog.kind === 'stopped'
      ? { phase: 'jump', title: `stop the watchdog, as ${watchdog.why}`, action: inTime(run(setWatchdog('0'))), undo }
      : { phase: 'jump', title: `have the watchdog start the machine again if Linux ${release} is not there after ${watchdog.seconds.toString()} s`, action: inTime(run(setWatchdog(microseconds(watchdog.seconds + 1), microseconds(watchdog.seconds)))), undo },
  ];
}

/** What is in memory needs no key: nothing of it is anywhere when the memory is gone. */
interface Handing {
  /** What kexec is given. */
  readonly initrd: string;
  readonly before: readonly Step[];
  readonly after: readonly Step[];
  readonly atTheEnd: readonly Step[];
}

/** How the new kernel comes by the key of the container. */
function handingOver({ place }: StoreChoice, initramfs: Initramfs, wayBack: WayBackPolicy): Handing {
  if (place.kind === 'ram') return { initrd: initramfs.file, before: [], after: [], atTheEnd: [] };
  const { vault } = place;
  return {
    initrd: withKey(vault),
    before: [{ phase: 'prepare', title: 'put the key of the container in front of the initramfs', action: run(['sh', '-eu'], keyScript(vault, initramfs.file)), undo: { kind: 'remove', path: withKey(vault) } }],
    after: [{ phase: 'prepare', title: 'remove that with the key', action: { kind: 'remove', path: withKey(vault) } }, ...sealingKey(wayBack, vault)],
    atTheEnd: leavingKey(wayBack, vault),
  };
}

const makingOf = ({ place, why }: StoreChoice): string =>
  place.kind === 'ram'
    ? `make the store for the hand-over in memory (${spellRegion(place.ram.region)})`
    : `make the encrypted container for the hand-over${why === undefined ? '' : `, on the disk as ${why}`}`;

/** With what would start it again while others are parked: a socket, a timer, a path. */
function stopSteps(stopped: readonly Workload[]): Step[] {
  const units = [...new Set(stopped.flatMap(({ unit, properties }) => [...(properties['TriggeredBy'] ?? '').split(' ').filter(Boolean), unit]))];
  if (units.length === 0) return [];
  return [{ phase: 'park', title: 'stop those that will be started afresh', action: { kind: 'stop', units }, undo: run(['systemctl', 'start', '--', ...units]) }];
}

/** WatchdogSec= of systemd.service(5). */
export const reportsToSystemd = ({ properties }: Workload): boolean => !['', '0', 'infinity'].includes(properties['WatchdogUSec'] ?? '');

/** Who stands still does not report, and the signal by which systemd ends it for that would wait for it: also where the upgrade is given up. */
function holdingWatchdogs(carried: readonly Workload[], { endsSilentServices }: PlanOptions): Step[] {
  if (!endsSilentServices || !carried.some(reportsToSystemd)) return [];
  return [{ phase: 'park', title: 'have systemd end no service for not reporting (WatchdogSec=)', action: inTime(run(setServiceWatchdogs('no'))), undo: inTime(run(setServiceWatchdogs('yes'))) }];
}

/** All that an upgrade will do, from the first file to the jump: what becomes of the workloads, and `state` besides them. */
export function makePlan({ carried, stopped }: Chosen, state: readonly Step[], options: PlanOptions): Plan {
  const { initramfs, keptIn } = options;
  const paths = handoverPaths(options.store, options.id);
  const handing = handingOver(keptIn, initramfs, options.wayBack);
  const { machine } = options;

  const pids = carried.flatMap(({ trees }) => trees.flatMap(({ tasks }) => tasks.flatMap((task) => [...task.threads, task.session, task.processGroup])));
  const lastPid = firstFreePid([...pids, machine.lastPid], machine.pidMax, machine.reservedPids);
  const commandLine = newCommandLine(machine.commandLine, { id: options.id, store: options.store, pidMax: machine.pidMax, lastPid, ...(keptIn.region === undefined ? {} : { region: keptIn.region }) });
  const wants = (unit: string): Step => ({ phase: 'prepare', unit, title: 'have it restored before anything else', action: { kind: 'link', path: `${paths.units}/segue-restore.target.wants/${unit}`, target: `../${unit}` } });

  // What its KillMode= leaves of one that is stopped ends with the kernel.
  const known = [...options.afresh, ...[...carried, ...stopped].map(({ unit }) => unit)];
  const stoppedGroups = stopped.map(({ controlGroup }) => controlGroup);
  const required = carried.filter((workload) => ownSettings(workload).required).map(({ unit }) => unit);
  const turnBack = turningBack(required, paths, options);
  const groups = byPriority(carried);
  const critical = (groups.at(-1)?.workloads ?? []).toSorted((a, b) => a.memory - b.memory).map(({ unit }) => unit);
  const restoredBefore = (priority: number): string[] => groups.filter((group) => group.priority > priority).flatMap(({ workloads }) => workloads.map(({ unit }) => unit));
  const snapshots = snapshotSteps(carried, paths, options);
  const stopping = [...holdingWatchdogs(carried, options), ...stopSteps(stopped), ...complaining(carried, paths)];
  const steps: Step[] = [
    { phase: 'prepare', title: makingOf(keptIn), action: { kind: 'open-store', place: keptIn.place }, undo: { kind: 'wipe-store', place: keptIn.place } },
    { phase: 'prepare', title: 'name its format', action: write(`${paths.handover}/format`, `${HANDOVER_FORMAT}\n`) },
    { phase: 'prepare', title: 'name this machine', action: write(`${paths.handover}/machine`, `${machine.machineId}\n`) },
    { phase: 'prepare', title: 'say what process ids must be free on the way back', action: write(`${paths.handover}/way-back`, `${machine.pidMax.toString()} ${lastPid.toString()}\n`) },
    ...groups.flatMap(({ priority, workloads }) => {
      const inLane = priority === REQUIRED ? oneByOne(workloads) : restoredAfter(workloads, machine.processors * LANES_PER_PROCESSOR);
      return workloads.flatMap((workload) => [...handoverOf(workload, paths, [...restoredBefore(priority), inLane.get(workload.unit)].filter((unit) => unit !== undefined)), wants(workload.unit)]);
    }),
    { phase: 'prepare', title: 'list those who are restored first', action: write(`${paths.handover}/critical.list`, lines(critical)) },
    // What is written to it meanwhile waits in its sockets.
    { phase: 'prepare', title: 'start the journal after them', action: write(`${paths.units}/systemd-journald.service.d/segue.conf`, `[Unit]\nAfter=${critical.join(' ')}\n`) },
    { phase: 'prepare', title: 'settle after the last restore', action: write(`${paths.units}/segue-settle.service.d/segue.conf`, `[Unit]\nAfter=${carried.map(({ unit }) => unit).join(' ')}\n`) },
    ...state.filter((step) => step.phase === 'prepare'),
    ...watchdogsDriver(options.watchdog, paths),
    ...turnBack,
    ...packing(initramfs, options.to),
    ...handing.before,
    {
      phase: 'prepare',
      title: `load Linux ${options.to.release}${initramfs.kind === 'own' ? '' : `, with its installed initramfs as ${initramfs.why}`}`,
      action: run(['kexec', '--load', '--kexec-syscall-auto', options.to.image, `--initrd=${handing.initrd}`, `--command-line=${commandLine}`]),
      undo: run(['kexec', '--unload', '--kexec-syscall-auto']),
    },
    ...(initramfs.kind === 'own' ? [{ phase: 'prepare' as const, title: 'remove the initramfs, now that it is loaded', action: { kind: 'remove' as const, path: initramfs.folder } }] : []),
    ...handing.after,
    ...triedLocks(carried),
    ...snapshots,
    { phase: options.prepare ? 'snapshot' : 'prepare', title: 'compute the checksums of what is there', action: { kind: 'sum', handover: paths.handover } },
    // From here on somebody waits for it.
    ...(snapshots.length === 0 ? [] : encrypting(keptIn, 'encrypt the images with the usual priority again', 0)),
    // What is on disk now need not be written while everything waits; and what does not answer stops nobody.
    { phase: options.prepare ? 'snapshot' : 'prepare', title: 'let the disks catch up while everything runs', action: { kind: 'sync', limitSeconds: SYNC_SECONDS.before } },
    { phase: options.prepare ? 'snapshot' : 'prepare', title: 'let end what has begun since this was planned', action: { kind: 'await-newcomers', known, seconds: NEWCOMER_SECONDS.before } },
    { phase: options.prepare ? 'snapshot' : 'prepare', title: 'wait until nobody forbids a shutdown', action: { kind: 'await-inhibitors', stopped: stoppedGroups, seconds: INHIBITOR_SECONDS.before } },
    // Who is parked first is looked at last.
    ...slowedRounds(groups.toReversed().flatMap(({ workloads }) => workloads), paths, options),
    ...stopping,
    ...groups.flatMap((group, index): Step[] => {
      const { priority, workloads } = group;
      const of = `of priority ${priority.toString()}`;
      const ports = listeningPorts(workloads.flatMap(({ sockets }) => sockets));
      const unlock: Action = { kind: 'unlock' };
      // Where nobody listens, no connection waits.
      const accepted: Step[] = ports.length === 0 ? [] : [
        { phase: 'park', title: `hold new connections back to those ${of}`, action: inTime(run(['nft', '-f', '-'], holdScript(priority, workloads))), undo: unlock },
        { phase: 'park', title: `let the connections that wait be accepted by those ${of}`, action: { kind: 'drain', ports, seconds: DRAIN_SECONDS, slowed: workloads.filter((workload) => mayBeSlowed(workload, paths, options)).map((workload) => ({ controlGroup: workload.controlGroup, limit: limitOf(workload, options) })) } },
      ];
      return [
        ...(index === 0 ? [] : lastRounds(workloads, paths, options)),
        ...accepted,
        // What others do to its files from then on is unseen: nothing that may wait comes in between.
        ...(options.prepare ? [lookStep(index === 0 && stopping.length === 0 && accepted.length === 0 ? 'snapshot' : 'park', group, paths)] : []),
        { phase: 'park', title: `lock the sockets of those ${of}`, action: inTime(run(['nft', '-f', '-'], lockScript(priority, workloads))), ...(ports.length === 0 ? { undo: unlock } : {}) },
        ...(options.prepare ? [proveStep(group, paths)] : []),
        ...(index === groups.length - 1 ? [closeJournal] : []),
        ...workloads.flatMap((workload) => parkSteps(workload, paths, options)),
        ...workloads.flatMap((workload) => privateArchives(workload, paths)),
        { phase: 'park', title: `seal those ${of}`, lane: { of: 'ends', name: 'seal' }, action: { kind: 'seal-workloads', handover: paths.handover, workloads: workloads.map((workload) => sealed(workload, paths)) } },
      ];
    }),
    ...(groups.length === 0 ? [closeJournal] : []),
    ...state.filter((step) => step.phase === 'park'),
    { phase: 'park', title: 'seal the hand-over', action: { kind: 'seal', handover: paths.handover, units: carried.map(({ unit }) => unit) } },
    { phase: 'jump', title: 'let end what has begun meanwhile', action: { kind: 'await-newcomers', known, seconds: NEWCOMER_SECONDS.parked } },
    { phase: 'jump', title: 'see that nobody has forbidden a shutdown meanwhile', action: { kind: 'await-inhibitors', stopped: stoppedGroups, seconds: INHIBITOR_SECONDS.parked } },
    // Of these it is told if they could not be written.
    { phase: 'jump', title: 'write the hand-over to disk', action: { kind: 'sync', path: paths.handover, limitSeconds: SYNC_SECONDS.parked } },
    { phase: 'jump', title: 'write all filesystems to disk', action: { kind: 'sync', limitSeconds: SYNC_SECONDS.parked } },
    ...handing.atTheEnd,
    ...settingWatchdog(options.watchdog, options.to),
    { phase: 'jump', title: 'see that all stand still as they were imaged', action: { kind: 'confirm', workloads: carried.map((workload) => sealed(workload, paths)) } },
    { phase: 'jump', title: 'leave word for a boot that finds its way back', action: { ...write(WAY_BACK, `${options.id} ${options.store} ${machine.bootId}\n`), durably: true }, undo: { kind: 'remove', path: WAY_BACK } },
    { phase: 'jump', title: `start Linux ${options.to.release} (from here on it cannot be given up)`, action: { kind: 'jump' } },
  ];
  return { id: options.id, from: options.from, to: options.to, paths, keptIn, carried, stopped, wayBack: options.wayBack, watchdog: options.watchdog, required, turnsBack: turnBack.length > 0, keepImages: options.keepImages, steps };
}
