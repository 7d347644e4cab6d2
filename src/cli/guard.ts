import { buildCommand } from '@stricli/core';
import { requireRoot } from '../survey/machine.ts';
import { shareLock } from '../upgrade/lock.ts';
import { watch } from '../upgrade/watch.ts';
import { print, unwrap } from './output.ts';

async function run(): Promise<void> {
  const root = requireRoot();
  if (!root.ok) {
    unwrap(root);
    return;
  }
  // Whoever ends it as it undoes would leave everybody stopped: it ends by itself, soon after the upgrade.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
  shareLock();
  await watch(process.stdin, print);
}

/** Run by `segue upgrade`, not by people. */
export const guardCommand = buildCommand({ func: run, parameters: {}, docs: { brief: 'Undo an upgrade whose process was killed or stands still (run by segue upgrade)' } });
