import { buildApplication, buildRouteMap, run, text_en } from '@stricli/core';
import { addrCommand } from './cli/addr.js';
import { consoleCommand } from './cli/console.js';
import { copyCommand } from './cli/copy.js';
import { downCommand } from './cli/down.js';
import { execCommand } from './cli/exec.js';
import { listCommand } from './cli/list.js';
import { sshCommand } from './cli/ssh.js';
import { upCommand } from './cli/up.js';
import { describeError, UsageError } from './errors.js';

const USAGE_ERROR = 2;

const application = buildApplication(
  buildRouteMap({
    routes: {
      up: upCommand,
      exec: execCommand,
      copy: copyCommand,
      ssh: sshCommand,
      addr: addrCommand,
      console: consoleCommand,
      list: listCommand,
      down: downCommand,
    },
    docs: {
      brief: "Segue's lab: Debian guests under QEMU",
      fullDescription:
        'Builds Debian 13 guests, keeps them as running states and brings them up in seconds.\n' +
        'SEGUE_MIRROR names a Debian mirror, SEGUE_LAB_CACHE the folder for images and states.',
    },
  }),
  {
    name: 'npm run lab --',
    determineExitCode: (error) => (error instanceof UsageError ? USAGE_ERROR : 1),
    scanner: { caseStyle: 'allow-kebab-for-camel', allowArgumentEscapeSequence: true },
    localization: {
      text: { ...text_en, exceptionWhileRunningCommand: (error) => `lab: ${describeError(error)}` },
    },
  },
);

const outcome: { stdout: NodeJS.WriteStream; stderr: NodeJS.WriteStream; env: Record<string, string | undefined>; exitCode: number | string | null } = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  exitCode: null,
};
await run(application, process.argv.slice(2), { process: outcome });
// Stricli has negative codes for what it refuses itself: an unknown command, a wrong argument.
const code = Number(outcome.exitCode);
process.exitCode ??= code >= 0 ? code : code === -4 || code === -5 ? USAGE_ERROR : 1;
