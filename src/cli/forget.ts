import { buildCommand } from '@stricli/core';
import { forget } from '../settle/forget.ts';
import { requireRoot } from '../survey/machine.ts';
import * as flags from './flags.ts';
import { note, unwrap } from './output.ts';

interface ForgetFlags {
  readonly due: boolean;
  readonly store: string;
}

async function run({ due, store }: ForgetFlags, id?: string): Promise<void> {
  const root = requireRoot();
  const forgotten = unwrap(root.ok ? await forget(store, { due, ...(id === undefined ? {} : { id }) }) : root);
  if (forgotten === undefined) return;
  for (const each of forgotten) note(`the images of upgrade ${each} are wiped`);
  if (forgotten.length === 0 && !due) note('no images are kept');
}

export const forgetCommand = buildCommand({
  func: run,
  parameters: {
    flags: { due: { kind: 'boolean', brief: 'Only those whose time has come (run by segue-forget.timer)', default: false, withNegated: false }, store: flags.store },
    positional: { kind: 'tuple', parameters: [{ brief: 'As `segue history` names it; all of them, if none is named', parse: (input: string) => input, placeholder: 'ID', optional: true }] },
  },
  docs: {
    brief: 'Wipe images that are kept of workloads that could not be restored',
    fullDescription: 'The images of a workload that could not be restored are kept for whoever wants to find out why, for as long as --keep-images of `segue upgrade` says, and then wiped. This wipes them at once.',
  },
});
