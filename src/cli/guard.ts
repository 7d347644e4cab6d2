import { buildCommand } from '@stricli/core';
import { requireRoot } from '../survey/machine.ts';
import { shareLock } from '../upgrade/lock.ts';
import { watch } from '../upgrade/watch.ts';
import { print, unwrap } from './output.ts';
import { heedNoSignal } from './signals.ts';

async function run(): Promise<void> {
  const root = requireRoot();
  if (!root.ok) {
    unwrap(root);
    return;
  }
  heedNoSignal(); // it ends by itself, soon after the upgrade
  shareLock();
  await watch(process.stdin, print);
}

/** Run by `segue upgrade`, not by people. */
export const guardCommand = buildCommand({ func: run, parameters: {}, docs: { brief: 'Undo an upgrade whose process was killed or stands still (run by segue upgrade)' } });
