import { buildCommand } from '@stricli/core';
import { exitCodeOf } from '../report/report.ts';
import { requireRoot } from '../survey/machine.ts';
import { settle } from '../settle/settle.ts';
import { text } from './history.ts';
import { print, unwrap } from './output.ts';

async function run(): Promise<void> {
  if (!requireRoot().ok) unwrap(requireRoot());
  const report = process.exitCode === undefined ? unwrap(await settle()) : undefined;
  if (report === undefined) return;
  print(text(report));
  // A fresh start that was reported is no failure of the settling itself.
  process.exitCode = exitCodeOf(report) === 14 ? 14 : 0;
}

/** Run by segue-settle.service, not by people. */
export const settleCommand = buildCommand({ func: run, parameters: {}, docs: { brief: 'Check that everything is back and clean up (run by segue-settle.service)' } });
