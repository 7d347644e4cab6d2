import { openLab } from '../../lab.js';
import { logToStderr, step } from '../../log.js';
import { readArguments } from '../arguments.js';
import type { Benchmark } from '../main.js';
import { writeResults } from '../results.js';
import { FULL_SIZE } from '../scale.js';
import { measure, type Measured } from './measure.js';
import { measurementText, ratiosText } from './print.js';
import { casesFor, RATIO_NAMES, RATIOS, ratiosOf, type Definition } from './ratios.js';

export const usage = `npm run bench -- stoppage [OPTION...]

Measures in emulated guests what an upgrade costs while everything stands still. Only ratios mean something: both sides
of one are from the same run. Each figure is followed by whose time it was: CRIU's, Segue's or the kernel's.

  --runs N        measure everything so often; the median of the runs' ratios counts (1)
  --json FILE     also write every measurement to FILE
  --only NAME...  only what these ratios need:
${RATIO_NAMES.map((name) => `                    ${name.padEnd(16)} ${describe(RATIOS[name])}`).join('\n')}
`;

function describe({ what, target }: Definition): string {
  return `${what} (${target.toFixed(2)} at most)`;
}

export const readStoppageArguments = (args: readonly string[]) => readArguments(args, { names: RATIO_NAMES, kind: 'ratio', runs: 1 });

export const stoppage: Benchmark = {
  brief: 'how long everything stands still, and whose time it is',
  usage,
  async run(args) {
    const { runs, json, only } = readStoppageArguments(args);
    const lab = openLab({ log: logToStderr });
    const measurements: Measured[] = [];
    for (let run = 1; run <= runs; run += 1) {
      for (const name of casesFor(only)) {
        const measured = await step(logToStderr, `run ${run} of ${runs}: ${name}`, () => measure(lab, name, run));
        measurements.push(measured);
        console.log(`${measurementText(measured)}\n`);
        await writeResults(json, { ratios: ratiosOf(measurements), fullSize: FULL_SIZE, measurements });
      }
    }
    console.log(ratiosText(ratiosOf(measurements)));
    if (!FULL_SIZE) console.log('These sizes are smaller than those that the targets are for.');
  },
};
