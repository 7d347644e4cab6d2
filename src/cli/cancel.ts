import { buildCommand } from '@stricli/core';
import { requireRoot } from '../survey/machine.ts';
import { cancel } from '../upgrade/cancel.ts';
import { readPrepared } from '../upgrade/prepared.ts';
import { note, STORE, unwrap } from './output.ts';

async function run(): Promise<void> {
  const root = requireRoot();
  const cancelled = root.ok ? await cancel(readPrepared()?.store ?? STORE) : root;
  if (cancelled.ok) note('cancelled: every workload goes on, nothing is left behind');
  else unwrap(cancelled);
}

export const cancelCommand = buildCommand({
  func: run,
  parameters: {},
  docs: {
    brief: 'Drop a prepared upgrade, or give one up that has not jumped',
    fullDescription: 'Ends what `segue prepare` has begun and removes its images; an upgrade under way is given up as by Ctrl-C, also one whose terminal is lost. After the jump there is nothing to cancel.',
  },
});
