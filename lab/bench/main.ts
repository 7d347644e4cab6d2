import { describeError, UsageError } from '../errors.js';
import { pause } from './pause/pause.js';
import { stoppage } from './stoppage/stoppage.js';

/** A benchmark: says what it is, and runs with what follows its name. */
export interface Benchmark {
  readonly brief: string;
  readonly usage: string;
  run(args: readonly string[]): Promise<void>;
}

const BENCHMARKS: Readonly<Record<string, Benchmark>> = { pause, stoppage };

const USAGE = `npm run bench -- BENCHMARK [OPTION...]

${Object.entries(BENCHMARKS).map(([name, { brief }]) => `  ${name.padEnd(10)} ${brief}`).join('\n')}

BENCHMARK --help says more.
`;

const USAGE_ERROR = 2;

const [name = '', ...args] = process.argv.slice(2);
const benchmark = BENCHMARKS[name];
const asksForHelp = [name, ...args].some((word) => ['--help', '-h'].includes(word));
try {
  if (asksForHelp) process.stdout.write(benchmark?.usage ?? USAGE);
  else if (benchmark === undefined) throw new UsageError(name === '' ? 'no benchmark is named' : `there is no benchmark ${name}`);
  else await benchmark.run(args);
} catch (error) {
  process.stderr.write(`${describeError(error)}\n`);
  if (error instanceof UsageError) process.stderr.write(`\n${benchmark?.usage ?? USAGE}`);
  process.exitCode = error instanceof UsageError ? USAGE_ERROR : 1;
}
