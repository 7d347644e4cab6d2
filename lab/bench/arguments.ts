import { parseArgs } from 'node:util';
import { UsageError } from '../errors.js';
import { RATIO_NAMES, RATIOS, type Definition, type RatioName } from './ratios.js';

export const USAGE = `npm run bench -- stoppage [OPTION...]

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

export interface BenchArguments {
  readonly help: boolean;
  readonly runs: number;
  readonly json: string | undefined;
  readonly only: readonly RatioName[];
}

const isRatio = (name: string): name is RatioName => (RATIO_NAMES as readonly string[]).includes(name);

export function readArguments(args: readonly string[]): BenchArguments {
  const { values, positionals } = parse(args);
  const { help, json } = values;
  const runs = Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new UsageError('--runs takes a number from 1 on');
  const [benchmark, ...more] = positionals;
  if (!help && benchmark !== 'stoppage') throw new UsageError('there is one benchmark: stoppage');
  const names = [...(values.only ?? []), ...more];
  if (values.only === undefined && more.length > 0) throw new UsageError(`${more.join(' ')} is more than is asked for`);
  const only = names.map((name) => {
    if (isRatio(name)) return name;
    throw new UsageError(`there is no ratio ${name}; these are: ${RATIO_NAMES.join(', ')}`);
  });
  return { help, runs, json, only: only.length === 0 ? RATIO_NAMES : only };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { runs: { type: 'string', default: '1' }, json: { type: 'string' }, only: { type: 'string', multiple: true }, help: { type: 'boolean', short: 'h', default: false } },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
