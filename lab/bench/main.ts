import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { describeError } from '../errors.js';
import { logToStderr } from '../log.js';
import { CASES, stoppage } from './stoppage.js';

const USAGE = `npm run bench -- stoppage [OPTION...]

Measures in a guest of its own what an upgrade costs. Only ratios of one run mean something: machines differ, and are busy.

  --runs N     each case so often; the medians count (1)
  --json FILE  also write every measurement to FILE
`;

const USAGE_ERROR = 2;

function readArguments() {
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options: { runs: { type: 'string', default: '1' }, json: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false } } });
    if (values.help) {
      process.stdout.write(USAGE);
      process.exit(0);
    }
    const runs = Number(values.runs);
    if (positionals.length !== 1 || positionals[0] !== 'stoppage') throw new Error('there is one benchmark: stoppage');
    if (!Number.isInteger(runs) || runs < 1) throw new Error('--runs takes a number from 1 on');
    return { runs, json: values.json };
  } catch (error) {
    process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(USAGE_ERROR);
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] ?? NaN) + (sorted[Math.floor(middle)] ?? NaN)) / 2;
}

const { runs, json } = readArguments();
try {
  const measurements = await stoppage(runs, logToStderr);
  const of = (name: string): typeof measurements => measurements.filter((each) => each.name === name);
  const medians = CASES.map(({ name }) => ({ name, stoppageMs: median(of(name).map(({ stoppageMs }) => stoppageMs)), imagedMiB: median(of(name).map(({ imagedMiB }) => imagedMiB)), earlierMiB: median(of(name).map(({ earlierMiB }) => earlierMiB)) }));
  for (const { name, stoppageMs, imagedMiB, earlierMiB } of medians) {
    console.log(`${name.padEnd(28)} ${(stoppageMs / 1000).toFixed(1).padStart(7)} s   ${imagedMiB.toFixed(0).padStart(5)} MiB imaged while parked, ${earlierMiB.toFixed(0).padStart(5)} MiB before`);
  }
  const [little = NaN, much = NaN, whole = NaN] = medians.map(({ stoppageMs }) => stoppageMs);
  const ratios = { moreMemory: much / little, againstNoPrepare: much / whole };
  console.log(`ten times the memory: ${ratios.moreMemory.toFixed(2)} times the stoppage; against --no-prepare: ${ratios.againstNoPrepare.toFixed(2)}`);
  if (json !== undefined) await writeFile(json, `${JSON.stringify({ measurements, ratios }, null, 2)}\n`);
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = 1;
}
