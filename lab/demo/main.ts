import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { describeError } from '../errors.js';
import { demo } from './demo.js';
import { complaints, toJson } from './outcome.js';
import { seconds, stage } from './stage.js';
import { clientTable, serviceTable } from './table.js';

const USAGE = `npm run demo [-- OPTION...]

Upgrades a Debian guest to another kernel while clients use its services, and says what they saw.
Exits with 0 only if the kernel changed, every service was carried over, and no client lost or missed anything.

  --json FILE           also write the outcome to FILE
  --kernel-from VERSION the kernel before the upgrade (6.12)
  --to VERSION          the kernel after it (newest)
  --mirror URL          a Debian mirror (the host's own)
`;

const USAGE_ERROR = 2;

function readOptions() {
  try {
    return parseArgs({
      options: {
        json: { type: 'string' },
        'kernel-from': { type: 'string', default: '6.12' },
        to: { type: 'string', default: 'newest' },
        mirror: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (error) {
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(USAGE_ERROR);
  }
}

const options = readOptions();
if (options.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}

const begin = performance.now();
try {
  const outcome = await demo({ kernelFrom: options['kernel-from'], to: options.to, mirror: options.mirror });
  stage.heading(`Linux ${outcome.kernel.before} → ${outcome.kernel.after}`);
  const drawn = process.stdout.isTTY;
  stage.plain(serviceTable(outcome, drawn));
  stage.plain('');
  stage.plain(clientTable(outcome, drawn));
  stage.plain('');
  if (options.json !== undefined) await writeFile(options.json, `${JSON.stringify(toJson(outcome), null, 2)}\n`);
  const wrong = complaints(outcome);
  for (const complaint of wrong) stage.plain(`fail: ${complaint}`);
  const took = seconds(performance.now() - begin);
  stage.plain(wrong.length === 0 ? `ok: nothing was lost, in ${took} altogether` : `failed, in ${took} altogether`);
  process.exitCode = wrong.length === 0 ? 0 : 1;
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = 1;
}
