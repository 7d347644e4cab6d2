import { openLab } from '../../lab.js';
import { logToStderr, step } from '../../log.js';
import { readArguments } from '../arguments.js';
import type { Benchmark } from '../main.js';
import { writeResults } from '../results.js';
import { measure, type Measurement } from './measure.js';
import { WAY_NAMES, WAYS } from './ways.js';

const RUNS = 5;

export const usage = `npm run bench -- pause [OPTION...]

Measures how long the users of a machine wait while it goes over to another kernel, seen from outside.

  --runs N        each way so often, in turn (${RUNS})
  --json FILE     also write every measurement to FILE
  --only WAY...   only these:
${WAY_NAMES.map((name) => `                    ${name.padEnd(12)} ${WAYS[name].what}`).join('\n')}
`;

export const readPauseArguments = (args: readonly string[]) => readArguments(args, { names: WAY_NAMES, kind: 'way', runs: RUNS, plots: true });

export const pause: Benchmark = {
  brief: 'how long the users of a machine wait, and how long they would otherwise',
  usage,
  async run(args) {
    const { runs, json, only } = readPauseArguments(args);
    const lab = openLab({ log: logToStderr });
    const measurements: Measurement[] = [];
    for (let run = 1; run <= runs; run += 1) {
      for (const name of only) {
        const measured = await step(logToStderr, `run ${run} of ${runs}: ${name}`, () => measure(lab, name, run));
        measurements.push(measured);
        console.log(JSON.stringify(measured));
        await writeResults(json, { measurements });
      }
    }
  },
};
