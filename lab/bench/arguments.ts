import { parseArgs } from 'node:util';
import { UsageError } from '../errors.js';

/** What every benchmark can be told. */
export interface Arguments<Name extends string> {
  readonly help: boolean;
  readonly runs: number;
  readonly json: string | undefined;
  /** A file for a picture. */
  readonly plot: string | undefined;
  readonly only: readonly Name[];
}

/** What one benchmark has. */
export interface Choice<Name extends string> {
  /** What --only chooses from. */
  readonly names: readonly Name[];
  /** What such a name stands for, in a word. */
  readonly kind: string;
  readonly runs: number;
  readonly plots?: boolean;
}

/** Reads what follows the name of the benchmark. */
export function readArguments<Name extends string>(args: readonly string[], { names, kind, runs: usual, plots = false }: Choice<Name>): Arguments<Name> {
  const { values, positionals: more } = parse(args);
  const { help, json, plot } = values;
  const runs = Number(values.runs ?? usual);
  if (!Number.isInteger(runs) || runs < 1) throw new UsageError('--runs takes a number from 1 on');
  if (plot !== undefined && !plots) throw new UsageError('this benchmark has no picture');
  if (values.only === undefined && more.length > 0) throw new UsageError(`${more.join(' ')} is more than is asked for`);
  const only = [...(values.only ?? []), ...more].map((name) => {
    const found = names.find((each) => each === name);
    if (found !== undefined) return found;
    throw new UsageError(`there is no ${kind} ${name}; these are: ${names.join(', ')}`);
  });
  return { help, runs, json, plot, only: only.length === 0 ? names : names.filter((name) => only.includes(name)) };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        runs: { type: 'string' },
        json: { type: 'string' },
        plot: { type: 'string' },
        only: { type: 'string', multiple: true },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
