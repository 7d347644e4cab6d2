import { availableParallelism } from 'node:os';
import { readFileSync } from 'node:fs';
import { failed, ok, type Result } from '../failure/result.ts';
import { chooseInitramfs } from '../initramfs/choose.ts';
import { isHandedOn } from '../initramfs/key.ts';
import { handoverPaths, type WayBackPolicy } from '../model/handover.ts';
import type { Step } from '../model/step.ts';
import { choose, makePlan, neededBytes, reportsToSystemd, type Plan } from '../plan/plan.ts';
import { limitOf } from '../park/pace.ts';
import { chooseKernel } from '../survey/kernels.ts';
import { requireKexec, requireRoot, requireStore, requireTools, runningKernel } from '../survey/machine.ts';
import { survey } from '../survey/survey.ts';
import { cpuTime } from '../snapshot/activity.ts';
import { hugePagesPace } from '../tools/khugepaged.ts';
import { endsSilentServices, stoppedAlong } from '../tools/systemctl.ts';
import { stateKinds } from '../state/kinds.ts';
import { tmpfsBytes } from '../state/tmpfs.ts';
import { DRIVERS } from '../tools/pmem.ts';
import { hasTpm } from '../tools/systemd-creds.ts';
import { unsettledUpgrade } from '../store/arrival.ts';
import { newId } from '../store/journal.ts';
import { chooseStore } from './choose-store.ts';
import { chooseWatchdog } from './choose-watchdog.ts';
import { runningUpgrade } from './lock.ts';
import { heldBytes } from './reuse.ts';

export interface UpgradeOptions {
  /** As it was announced, if it was. */
  readonly id?: string;
  readonly to: string;
  readonly afresh: readonly string[];
  readonly store: string;
  /** Whether memory is imaged beforehand, while everything runs. */
  readonly prepare: boolean;
  /** Whether the images may be in memory that outlives the kernel, where that was set up. */
  readonly ram: boolean;
  /** Left out: restore, if that leaves nothing on the disk that a thief of it could read. */
  readonly wayBack?: WayBackPolicy | undefined;
  /** How long the images of a workload that could not be restored are kept, days. */
  readonly keepImages: number;
}

/** What is on the disk in any case: the journal and the marks. */
const JOURNAL_BYTES = 16 * 2 ** 20;

const read = (path: string): string => readFileSync(path, 'utf8').trim();

/** Everything that can be said no to, before anything is touched; then the plan. `prepared` is the id of one that is prepared. */
export async function prepare({ to, afresh, store, ram, prepare: wanted, wayBack: asked, keepImages, id: announced }: UpgradeOptions, prepared?: string): Promise<Result<Plan>> {
  const root = requireRoot();
  if (!root.ok) return root;
  // What another one has stopped would look like that to the survey.
  const running = runningUpgrade();
  if (running !== undefined && prepared === undefined) return failed({ reason: 'upgrade-running', pid: running });
  const unsettled = unsettledUpgrade();
  if (unsettled !== undefined) return failed({ reason: 'not-settled', id: unsettled });
  const kernel = await chooseKernel(to);
  if (!kernel.ok) return kernel;
  const from = runningKernel();
  const tools = await requireTools([from, kernel.value.release]);
  if (!tools.ok) return tools;
  const kexec = await requireKexec(kernel.value);
  if (!kexec.ok) return kexec;

  const back = await chooseKernel(from);
  const seen = await survey();
  if (!seen.ok) return seen;
  const chosen = choose(seen.value, afresh);
  if (!chosen.ok) return chosen;
  const { carried, stopped } = chosen.value;
  const along = await stoppedAlong(stopped.map(({ unit }) => unit));
  if (!along.ok) return along;
  const dragged = carried.filter(({ unit }) => along.value.includes(unit)).map(({ unit }) => unit);
  if (dragged.length > 0) return failed({ reason: 'stopped-along', units: dragged, stopped: stopped.map(({ unit }) => unit) });
  const id = prepared ?? announced ?? newId(new Date());
  // To restore what builds on a snapshot, more must be promised than there is: boot/state.
  const strict = read('/proc/sys/vm/overcommit_memory') === '2';
  const files = tmpfsBytes(seen.value);
  const keptIn = await chooseStore({ store, id, ram, release: kernel.value.release, neededBytes: neededBytes(carried, files, wanted && !strict), wayBack: asked ?? 'restore' });
  const inMemory = keptIn.place.kind === 'ram';
  const wayBack = asked ?? (inMemory || (await hasTpm()) ? 'restore' : 'afresh');
  const held = heldBytes(store, id);
  const room = await requireStore(store, inMemory ? JOURNAL_BYTES : neededBytes(carried, files, false) - held);
  if (!room.ok) return room;
  const cpuTimes = (): Map<string, number> => new Map(carried.map((workload) => [workload.unit, cpuTime(workload)]));
  const earlier = cpuTimes();
  const began = process.hrtime.bigint();

  const machine = { machineId: read('/etc/machine-id'), bootId: read('/proc/sys/kernel/random/boot_id'), commandLine: read('/proc/cmdline'), pidMax: Number(read('/proc/sys/kernel/pid_max')), reservedPids: seen.value.reservedPids, lastPid: Number(read('/proc/sys/kernel/ns_last_pid')), processors: availableParallelism(), hugePagesPace: hugePagesPace() };
  const initramfs = await chooseInitramfs({ kernel: kernel.value, drivers: inMemory ? DRIVERS : [], commandLine: machine.commandLine, folder: `${handoverPaths(store, id).handover}/initramfs` });
  // With the sealed one on the disk the new kernel can do without.
  if (!inMemory && initramfs.kind === 'installed' && wayBack === 'afresh' && !isHandedOn()) return failed({ reason: 'key-stays-behind', why: initramfs.why });
  const watchdog = await chooseWatchdog(kernel.value.release, files);
  const state = await Promise.all(stateKinds.map((kind) => kind.carry({ paths: handoverPaths(store, id), survey: seen.value, carried })));
  const steps: Step[] = [];
  for (const kind of state) {
    if (!kind.ok) return kind;
    steps.push(...kind.value);
  }
  const later = cpuTimes();
  const elapsed = Number(process.hrtime.bigint() - began);
  const activity = new Map([...later].map(([unit, now]) => [unit, (now - (earlier.get(unit) ?? 0)) / elapsed]));
  const limits = new Map(carried.map(({ unit, controlGroup }) => [unit, limitOf(controlGroup)]));
  const prepares = wanted && !strict && (inMemory || (await requireStore(store, neededBytes(carried, files, true) - held)).ok);
  return ok(makePlan(chosen.value, steps, { id, store, keptIn, from, to: kernel.value, ...(back.ok ? { back: back.value } : {}), initramfs, prepare: prepares, activity, limits, wayBack, watchdog, endsSilentServices: carried.some(reportsToSystemd) && (await endsSilentServices()), keepImages, afresh: seen.value.afresh.map(({ unit }) => unit), machine }));
}
