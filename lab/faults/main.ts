import { writeFile } from 'node:fs/promises';
import { describeError, UsageError } from '../errors.js';
import { openLab } from '../lab.js';
import { logToStderr } from '../log.js';
import { Random } from '../random.js';
import { readArguments, USAGE, type FaultsArguments } from './arguments.js';
import { FAULTS } from './faults.js';
import { outcomes, type Trial } from './outcome.js';
import { preparedState } from './prepared.js';
import { outcomesText, trialText } from './print.js';

const USAGE_ERROR = 2;

/** Gives all trials. */
async function faults({ only, match, moments, seed, json }: FaultsArguments): Promise<Trial[]> {
  const lab = openLab({ log: logToStderr });
  const state = await preparedState(lab);
  const trials: Trial[] = [];
  for (const name of only) {
    // Of its own, so that one fault alone is the same as among others.
    const random = new Random(seed);
    for await (const trial of FAULTS[name].trials({ lab, state, random, moments, wanted: (what) => match.every((words) => what.includes(words)) })) {
      trials.push(trial);
      console.log(trialText(trial));
      // Hours of work are not to be lost with the last trial.
      if (json !== undefined) await writeFile(json, `${JSON.stringify({ faults: outcomes(trials), seed, trials }, null, 2)}\n`);
    }
  }
  return trials;
}

try {
  const options = readArguments(process.argv.slice(2));
  if (options.help) process.stdout.write(USAGE);
  else {
    console.log(`--seed ${options.seed}`);
    const found = outcomes(await faults(options));
    if (found.length === 0) throw new UsageError('there is no such trial: nothing was tried');
    console.log(`\n${outcomesText(found, process.stdout.isTTY)}`);
    process.exitCode = found.every(({ lost }) => lost.length === 0) ? 0 : 1;
  }
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  if (error instanceof UsageError) process.stderr.write(`\n${USAGE}`);
  process.exitCode = error instanceof UsageError ? USAGE_ERROR : 1;
}
