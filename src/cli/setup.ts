import { buildCommand } from '@stricli/core';
import { requireRoot } from '../survey/machine.ts';
import { planSetup } from '../survey/setup.ts';
import { survey } from '../survey/survey.ts';
import { writeConfiguration } from '../state/configuration.ts';
import { runOk } from '../tools/command.ts';
import * as flags from './flags.ts';
import { note, print, printJson, unwrap } from './output.ts';
import { commands } from './upgrade.ts';

interface SetupFlags {
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly restart: boolean;
}

async function run({ dryRun, json, restart }: SetupFlags): Promise<void> {
  const root = requireRoot();
  if (!root.ok) {
    unwrap(root);
    return;
  }
  const seen = unwrap(await survey());
  if (seen === undefined) return;
  const setup = planSetup(seen);
  if (dryRun) {
    for (const { title, action } of setup.steps) print(`# ${title}\n${commands(action)}\n`);
    for (const unit of setup.restart) print(`# so that it can be carried\nsystemctl restart ${unit}\n`);
    return;
  }
  for (const { title, action } of setup.steps) {
    note(title);
    if (action.kind === 'write') await writeConfiguration(action.path, action.content);
    else if (unwrap(await runOk(action.argv)) === undefined) return;
  }
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
      restart: { kind: 'boolean', brief: 'Also restart the services that need it', default: false, withNegated: false },
    },
  },
  docs: {
    brief: 'Apply the remedies that are safe',
    fullDescription: 'Applies the safe remedies for the obstacles that `segue check` finds (io_uring off by sysctl, low process ids reserved) and says which services need one restart before they can be carried.',
  },
});
