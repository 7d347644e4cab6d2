import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LabError } from '../../errors.js';
import { openLab } from '../../lab.js';
import { logToStderr, step } from '../../log.js';
import { readArguments } from '../arguments.js';
import type { Benchmark } from '../main.js';
import { writeResults } from '../results.js';
import { measure, type Measurement } from './measure.js';
import { plot } from './plot.js';
import { measurementText, slopeText, summaryText } from './print.js';
import { measureSlope, SLOPE, type Slope } from './slope.js';
import { summarize, type Failure } from './summary.js';
import { WAY_NAMES, WAYS, type WayName } from './ways.js';

const RUNS = 5;
const PLOT = 'build/bench/pause.svg';
const NAMES: readonly (WayName | 'memorySlope')[] = [...WAY_NAMES, 'memorySlope'];

export const usage = `npm run bench -- pause [OPTION...]

Measures how long the users of a machine wait while it goes over to another kernel, seen from outside: each way in turn,
from one and the same guest. docs/pause.md says how.

  --runs N        each way so often (${RUNS})
  --json FILE     also write every measurement to FILE
  --plot FILE     where to draw the time line (${PLOT})
  --only WAY...   only these:
${NAMES.map((name) => `                    ${name.padEnd(12)} ${name === 'memorySlope' ? SLOPE : WAYS[name].what}`).join('\n')}
`;

export const readPauseArguments = (args: readonly string[]) => readArguments(args, { names: NAMES, kind: 'way', runs: RUNS, plots: true });

export const pause: Benchmark = {
  brief: 'how long the users of a machine wait, this way and others',
  usage,
  async run(args) {
    const { runs, json, only, plot: picture = PLOT } = readPauseArguments(args);
    const lab = openLab({ log: logToStderr });
    const measurements: Measurement[] = [];
    const slopes: Slope[] = [];
    const failures: Failure[] = [];
    for (let run = 1; run <= runs; run += 1) {
      for (const name of only) {
        try {
          const text = await step(logToStderr, `run ${run} of ${runs}: ${name}`, async () => {
            if (name === 'memorySlope') return slopeText(add(slopes, await measureSlope(lab, run)));
            return measurementText(add(measurements, await measure(lab, name, run)));
          });
          console.log(`${text}\n`);
        } catch (error) {
          // The others are still worth knowing. What is no failure of a way, but a mistake in this program, ends it.
          if (!(error instanceof LabError)) throw error;
          failures.push({ way: name, run, why: error.message });
          console.log(`${name}, run ${run}: FAILED: ${error.message}\n`);
          process.exitCode = 1;
        }
        const summary = summarize(measurements, slopes, failures);
        await writeResults(json, summary);
        await mkdir(dirname(picture), { recursive: true });
        await writeFile(picture, plot(summary));
      }
    }
    console.log(summaryText(summarize(measurements, slopes, failures)));
    console.log(`The time line: ${picture}`);
  },
};

function add<T>(list: T[], item: T): T {
  list.push(item);
  return item;
}
