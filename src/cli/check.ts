import { buildCommand } from '@stricli/core';
import { requireRoot } from '../survey/machine.ts';
import { describe } from '../failure/obstacle.ts';
import type { Survey } from '../model/survey.ts';
import { chooseKernel } from '../survey/kernels.ts';
import { readRamStore, type RamStore } from '../survey/ram-store.ts';
import { survey } from '../survey/survey.ts';
import { spellRegion } from '../tools/memmap.ts';
import { table } from '../report/table.ts';
import * as flags from './flags.ts';
import { note, print, printJson, report, unwrap } from './output.ts';

interface CheckRow {
  readonly unit: string;
  readonly verdict: 'carried' | 'afresh' | 'obstacle';
  readonly why: readonly string[];
  readonly remedy: readonly string[];
}

export function checkRows({ workloads, afresh }: Survey): CheckRow[] {
  return [
    ...workloads.map(({ unit, obstacles }): CheckRow => {
      const said = obstacles.map(describe);
      return { unit, verdict: obstacles.length === 0 ? 'carried' : 'obstacle', why: said.map(({ why }) => why), remedy: [...new Set(said.map(({ remedy }) => remedy))] };
    }),
    ...afresh.map(({ unit, why }): CheckRow => ({ unit, verdict: 'afresh', why: [why], remedy: [] })),
  ];
}

/** What is to be said of memory for the images, where it was set up. */
export function ramStoreSentence(found: RamStore): string | undefined {
  switch (found.kind) {
    case 'none':
      return undefined;
    case 'to-come':
      return `the images will be on the disk: the running kernel was not told to leave ${spellRegion(found.region)} alone; the next one will be`;
    case 'ready':
      return `the images will be in memory, ${spellRegion(found.region)}, if it has room for them`;
    case 'bad':
      return `warning: the images will be on the disk: ${found.why}`;
  }
}

async function check({ json }: { readonly json: boolean }): Promise<void> {
  const root = requireRoot();
  if (!root.ok) {
    unwrap(root);
    return;
  }
  const seen = unwrap(await survey());
  if (seen === undefined) return;
  const rows = checkRows(seen);
  const memory = await readRamStore();
  const blocked = rows.filter(({ verdict }) => verdict === 'obstacle');
  if (json) printJson({ schemaVersion: 1, services: rows, ramStore: { state: memory.kind, ...(memory.kind === 'bad' ? { why: memory.why } : {}) } });
  else {
    print(table(['unit', 'verdict', 'why'], rows.map(({ unit, verdict, why }) => [unit, verdict, why.join('; ')])));
    const sentence = ramStoreSentence(memory);
    if (sentence !== undefined) note(sentence);
    for (const { unit, remedy } of blocked) for (const line of remedy) note(`remedy for ${unit}: ${line}`);
  }
  if (blocked.length > 0) process.exitCode = 10;
  // Of the kernel that `--to newest` names it is said here already.
  const kernel = await chooseKernel('newest');
  if (!kernel.ok && kernel.failure.reason === 'kernel-lacks') process.exitCode = report(kernel.failure);
}

export const checkCommand = buildCommand({
  func: check,
  parameters: { flags: { json: flags.json } },
  docs: {
    brief: 'Say of each service whether it would be carried',
    fullDescription: 'Looks at every service that runs and says whether an upgrade would carry it, start it afresh and why, or finds an obstacle, with the remedy. Touches nothing. Exits with 10 when there is an obstacle.',
  },
});
