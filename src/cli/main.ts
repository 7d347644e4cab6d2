#!/usr/bin/env node
import { buildApplication, buildRouteMap, run, type StricliProcess } from '@stricli/core';
import { cancelCommand } from './cancel.ts';
import { checkCommand } from './check.ts';
import { forgetCommand } from './forget.ts';
import { guardCommand } from './guard.ts';
import { historyCommand, showCommand, statusCommand } from './history.ts';
import { keepCommand, prepareCommand } from './prepare.ts';
import { settleCommand } from './settle.ts';
import { setupCommand } from './setup.ts';
import { undoCommand } from './undo.ts';
import { upgradeCommand } from './upgrade.ts';

declare const SEGUE_VERSION: string | undefined;

const application = buildApplication(
  buildRouteMap({
    routes: { check: checkCommand, setup: setupCommand, prepare: prepareCommand, upgrade: upgradeCommand, cancel: cancelCommand, status: statusCommand, history: historyCommand, show: showCommand, forget: forgetCommand, settle: settleCommand, guard: guardCommand, undo: undoCommand, keep: keepCommand },
    docs: { brief: 'Live kernel upgrades: the programs stay, uname -r changes', hideRoute: { settle: true, guard: true, undo: true, keep: true } },
  }),
  {
    name: 'segue',
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- the integration that replaces it is not in the documentation yet
    versionInfo: { currentVersion: typeof SEGUE_VERSION === 'undefined' ? 'unreleased' : SEGUE_VERSION },
    scanner: { caseStyle: 'allow-kebab-for-camel' },
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- as above
    documentation: { caseStyle: 'convert-camel-to-kebab' },
  },
);

// Whatever is written here is for root only from its first byte.
process.umask(0o077);

// Whoever reads along may be gone at any time (an ssh connection that broke): an upgrade must not die of that half-way.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

await run(application, process.argv.slice(2), { process: process as StricliProcess });
// Stricli's own codes for a wrong usage are negative; ours is 2 (systemd.exec(5), EXIT_INVALIDARGUMENT).
const code = Number(process.exitCode ?? 0);
if (code < 0 || code > 200) process.exitCode = code === -4 || code === -5 || code === 251 || code === 252 ? 2 : 1;
