import { writeFile } from 'node:fs/promises';
import { describeError, UsageError } from '../errors.js';
import { openLab } from '../lab.js';
import { logToStderr, step } from '../log.js';
import { readArguments, USAGE, type BenchArguments } from './arguments.js';
import { FULL_SIZE } from './cases.js';
import { measure, type Measurement } from './measure.js';
import { measurementText, ratiosText } from './print.js';
import { casesFor, ratiosOf } from './ratios.js';

const USAGE_ERROR = 2;

async function bench({ runs, json, only }: BenchArguments): Promise<void> {
  const lab = openLab({ log: logToStderr });
  const measurements: Measurement[] = [];
  for (let run = 1; run <= runs; run += 1) {
    for (const name of casesFor(only)) {
      const measured = await step(logToStderr, `run ${run} of ${runs}: ${name}`, () => measure(lab, name, run));
      measurements.push(measured);
      console.log(`${measurementText(measured)}\n`);
      // An hour's work is not to be lost with the last case.
      if (json !== undefined) await writeFile(json, `${JSON.stringify({ ratios: ratiosOf(measurements), fullSize: FULL_SIZE, measurements }, null, 2)}\n`);
    }
  }
  console.log(ratiosText(ratiosOf(measurements)));
  if (!FULL_SIZE) console.log('These sizes are smaller than those that the targets are for.');
}

try {
  const options = readArguments(process.argv.slice(2));
  if (options.help) process.stdout.write(USAGE);
  else await bench(options);
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  if (error instanceof UsageError) process.stderr.write(`\n${USAGE}`);
  process.exitCode = error instanceof UsageError ? USAGE_ERROR : 1;
}
