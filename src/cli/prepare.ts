import { buildCommand } from '@stricli/core';
import type { WayBackPolicy } from '../model/handover.ts';
import { keep } from '../upgrade/keeper.ts';
import { prepare } from '../upgrade/prepare.ts';
import { storeSentence } from './upgrade.ts';
import { beginPreparing } from '../upgrade/begin-preparing.ts';
import { isKept, readPrepared, type Prepared } from '../upgrade/prepared.ts';
import * as flags from './flags.ts';
import { note, report, STORE, unwrap } from './output.ts';

interface PrepareFlags {
  readonly to: string;
  readonly afresh?: readonly string[];
  readonly store?: string;
  readonly wayBack?: WayBackPolicy;
  readonly keepImages: number;
  readonly every: number;
}

async function run({ to, afresh = [], store: named, wayBack, keepImages, every }: PrepareFlags): Promise<void> {
  if (await isKept()) {
    process.exitCode = report({ reason: 'prepared-already' });
    return;
  }
  const store = named ?? STORE;
  const ram = named === undefined;
  // What it would be refused for is said now, and not in the background.
  const plan = unwrap(await prepare({ to, afresh, store, ram, wayBack, keepImages, prepare: true }));
  if (plan === undefined) return;
  if (!plan.steps.some(({ phase }) => phase === 'snapshot')) {
    process.exitCode = report({ reason: 'nothing-to-prepare' });
    return;
  }
  const prepared: Prepared = { id: plan.id, store, ram, to: plan.to.release, afresh, wayBack, keepImages, everySeconds: every };
  if (unwrap(await beginPreparing(prepared, plan)) === undefined) return;
  const { where, warning } = storeSentence(plan);
  if (warning !== undefined) note(warning);
  else note(where);
  note(`upgrade ${prepared.id} to Linux ${prepared.to} is being prepared in the background: \`segue status --wait\``);
  note('then: `segue upgrade`, at any time; or `segue cancel`');
}

const seconds = (input: string): number => {
  const value = Number(input);
  if (!Number.isInteger(value) || value < 1 || value > 86_400) throw new Error('a number of seconds, 1 to 86400');
  return value;
};

export const prepareCommand = buildCommand({
  func: run,
  parameters: {
    flags: {
      to: flags.to,
      afresh: flags.afresh,
      store: flags.imageStore,
      wayBack: flags.wayBack,
      keepImages: flags.keepImages,
      every: { kind: 'parsed', parse: seconds, brief: 'How often to look whose snapshot is out of date', default: '30', placeholder: 'SECONDS' },
    },
  },
  docs: {
    brief: 'Image what sleeps in the background, and keep the images fresh until the upgrade',
    fullDescription: 'Takes snapshots of every workload while it runs, at low priority, and takes those anew that are out of date, for as long as you like. `segue upgrade` then goes on with them, and only what has changed is imaged while everything stands still. `segue cancel` drops it all. Goes on when the terminal is lost.',
  },
});

async function runKeeper(): Promise<void> {
  const prepared = readPrepared();
  if (prepared === undefined) process.exitCode = report({ reason: 'nothing-to-cancel' });
  else unwrap(await keep(prepared));
}

/** Run by `segue prepare`, not by people. */
export const keepCommand = buildCommand({ func: runKeeper, parameters: {}, docs: { brief: 'Keep the snapshots of a prepared upgrade fresh (run by segue prepare)' } });
