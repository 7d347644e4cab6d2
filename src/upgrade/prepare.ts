import { readFileSync } from 'node:fs';
import { failed, type Result } from '../failure/result.ts';
import { choose, makePlan, neededBytes, type Plan } from '../plan/plan.ts';
import { chooseKernel } from '../survey/kernels.ts';
import { requireKexec, requireRoot, requireStore, requireTools, runningKernel } from '../survey/machine.ts';
import { survey } from '../survey/survey.ts';
import { newId } from '../store/journal.ts';
import { runningUpgrade } from './lock.ts';

export interface UpgradeOptions {
  readonly to: string;
  readonly afresh: readonly string[];
  readonly store: string;
}

const read = (path: string): string => readFileSync(path, 'utf8').trim();

/** Everything that can be said no to, before anything is touched; then the plan. */
export async function prepare({ to, afresh, store }: UpgradeOptions): Promise<Result<Plan>> {
  const root = requireRoot();
  if (!root.ok) return root;
  // What another one has stopped would look like that to the survey.
  const running = runningUpgrade();
  if (running !== undefined) return failed({ reason: 'upgrade-running', pid: running });
  const kernel = await chooseKernel(to);
  if (!kernel.ok) return kernel;
  const from = runningKernel();
  const tools = await requireTools([from, kernel.value.release]);
  if (!tools.ok) return tools;
  const kexec = await requireKexec(kernel.value);
  if (!kexec.ok) return kexec;

  const seen = await survey();
  if (!seen.ok) return seen;
  const chosen = choose(seen.value, afresh);
  if (!chosen.ok) return chosen;
  const room = await requireStore(store, neededBytes(chosen.value.carried));
  if (!room.ok) return room;

  const machine = { machineId: read('/etc/machine-id'), commandLine: read('/proc/cmdline'), pidMax: Number(read('/proc/sys/kernel/pid_max')), reservedPids: seen.value.reservedPids, lastPid: Number(read('/proc/sys/kernel/ns_last_pid')) };
  const plan = await makePlan(seen.value, { id: newId(new Date()), store, from, to: kernel.value, afresh, machine });
  if (!plan.ok) return plan;

  return plan;
}
