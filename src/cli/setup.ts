import { buildCommand } from '@stricli/core';
import { existsSync, promises as fs } from 'node:fs';
import { failed, ok, type Result } from '../failure/result.ts';
import { planRamSetup, whenItCounts } from '../plan/ram-setup.ts';
import { planWatchdogSetup, WATCHDOG_FILE } from '../plan/watchdog-setup.ts';
import { readBootloader } from '../survey/bootloader.ts';
import { requireRoot, runningKernel } from '../survey/machine.ts';
import { chooseRegion } from '../survey/ram-region.ts';
import { configuredRegion } from '../survey/ram-store.ts';
import { planSetup, type SetupStep } from '../survey/setup.ts';
import { survey } from '../survey/survey.ts';
import { writeConfiguration } from '../state/configuration.ts';
import { runOk } from '../tools/command.ts';
import { readIomem } from '../tools/iomem.ts';
import { regionsOn } from '../tools/memmap.ts';
import { modulesFor } from '../tools/modprobe.ts';
import { DRIVERS } from '../tools/pmem.ts';
import { findWatchdog } from '../tools/watchdog.ts';
import * as flags from './flags.ts';
import { note, print, printJson, unwrap } from './output.ts';
import { commands } from './upgrade.ts';

interface SetupFlags {
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly restart: boolean;
  readonly ramStore?: number;
}

/** What is to be done about memory for the images; nothing when that was not asked for. */
async function ramSetup(size: number | undefined): Promise<Result<{ readonly steps: readonly SetupStep[]; readonly says: readonly string[] }>> {
  if (size === undefined) return ok({ steps: [], says: [] });
  const { unknown } = size === 0 ? { unknown: [] } : await modulesFor(runningKernel(), DRIVERS);
  if (unknown.length > 0) return failed({ reason: 'ram-store-unsupported', kernel: runningKernel(), missing: unknown });
  const before = await configuredRegion();
  const running = regionsOn((await fs.readFile('/proc/cmdline', 'utf8')).trim().split(/\s+/));
  const region = size === 0 ? ok(undefined) : chooseRegion(size, await readIomem(), [...(before === undefined ? [] : [before]), ...running]);
  if (!region.ok) return region;
  const setup = { region: region.value, before, bootloader: readBootloader() };
  const steps = planRamSetup(setup);
  return ok({ steps, says: steps.length === 0 ? [] : whenItCounts(setup, running) });
}

async function run({ dryRun, json, restart, ramStore }: SetupFlags): Promise<void> {
  const root = requireRoot();
  if (!root.ok) {
    unwrap(root);
    return;
  }
  const seen = unwrap(await survey());
  if (seen === undefined) return;
  const memory = unwrap(await ramSetup(ramStore));
  if (memory === undefined) return;
  const remedies = planSetup(seen);
  const setup = { ...remedies, steps: [...remedies.steps, ...memory.steps, ...planWatchdogSetup({ watchdog: findWatchdog(), configured: existsSync(WATCHDOG_FILE) })] };
  if (dryRun) {
    for (const { title, action } of setup.steps) print(`# ${title}\n${commands(action)}\n`);
    for (const unit of setup.restart) print(`# so that it can be carried\nsystemctl restart ${unit}\n`);
    return;
  }
  for (const { title, action } of setup.steps) {
    note(title);
    if (action.kind === 'write') await writeConfiguration(action.path, action.content);
    else if (action.kind === 'remove') await fs.rm(action.path, { force: true });
    else if (unwrap(await runOk(action.argv)) === undefined) return;
  }
  for (const line of memory.says) note(line);
  const restarted: string[] = [];
  for (const unit of restart ? setup.restart : []) {
    note(`restarting ${unit}`);
    if (unwrap(await runOk(['systemctl', 'restart', '--', unit])) === undefined) return;
    restarted.push(unit);
  }
  const left = setup.restart.filter((unit) => !restarted.includes(unit));
  if (json) printJson({ schemaVersion: 1, applied: setup.steps.map(({ title }) => title), restartNeeded: left, restarted });
  else if (left.length > 0) print(`These need one restart before they can be carried:\n${left.map((unit) => `  systemctl restart ${unit}`).join('\n')}`);
  else print(setup.steps.length === 0 ? 'There is nothing to set up.' : 'Done. `segue check` shows the outcome.');
}

export const setupCommand = buildCommand({
  func: run,
  parameters: {
    flags: {
      dryRun: flags.dryRun,
      json: flags.json,
      ramStore: flags.ramStore,
      restart: { kind: 'boolean', brief: 'Also restart the services that need it', default: false, withNegated: false },
    },
  },
  docs: {
    brief: 'Apply the remedies that are safe',
    fullDescription: 'Applies the safe remedies for the obstacles that `segue check` finds (io_uring off by sysctl, low process ids reserved), has a watchdog in hardware go on over a jump, and says which services need one restart before they can be carried. With --ram-store it also sets memory aside that kernels leave alone, in which the images of an upgrade are then kept.',
  },
});
