import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { UsageError } from '../errors.js';
import { FAULT_NAMES, FAULTS, type FaultName } from './faults.js';

export const USAGE = `npm run faults [-- OPTION...]

Upgrades guests with services under load from outside, lets faults befall them, and counts what was lost.
Exits with 0 only if nothing was.

  --only NAME...  only these faults:
${FAULT_NAMES.map((name) => `                    ${name.padEnd(15)} ${FAULTS[name].what}`).join('\n')}
  --match WORDS   only trials with these words in what is said of them; may be given several times
  --moments N     so many random moments (200)
  --seed N        the seed of all that is random (a random one)
  --json FILE     also write every trial to FILE, after each of them
`;

export interface FaultsArguments {
  readonly help: boolean;
  readonly only: readonly FaultName[];
  readonly match: readonly string[];
  readonly moments: number;
  readonly seed: number;
  readonly json: string | undefined;
}

const MOMENTS = 200;

const isFault = (name: string): name is FaultName => (FAULT_NAMES as readonly string[]).includes(name);

function wholeNumber(option: string, text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^\d+$/.test(text)) throw new UsageError(`--${option} takes a whole number`);
  return Number(text);
}

export function readArguments(args: readonly string[]): FaultsArguments {
  const { values, positionals } = parse(args);
  const { help, json, only } = values;
  if (only === undefined && positionals.length > 0) throw new UsageError(`${positionals.join(' ')} is more than is asked for`);
  const names = [...(only ?? []), ...positionals].map((name) => {
    if (isFault(name)) return name;
    throw new UsageError(`there is no fault ${name}; these are: ${FAULT_NAMES.join(', ')}`);
  });
  return {
    help,
    json,
    match: values.match ?? [],
    only: names.length === 0 ? FAULT_NAMES : names,
    moments: wholeNumber('moments', values.moments, MOMENTS),
    seed: wholeNumber('seed', values.seed, randomInt(2 ** 31)),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { only: { type: 'string', multiple: true }, match: { type: 'string', multiple: true }, moments: { type: 'string' }, seed: { type: 'string' }, json: { type: 'string' }, help: { type: 'boolean', short: 'h', default: false } },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
