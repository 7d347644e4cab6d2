import { execa, type Options } from 'execa';
import { LabError } from '../errors.js';
import { quoteArguments } from '../guest/quote.js';

/** Runs a program of the host that is expected to succeed, and gives its stdout. */
export async function run(
  file: string,
  args: readonly string[],
  options: { input?: string; env?: Record<string, string>; hint?: string; timeout?: number } = {},
): Promise<string> {
  const { hint, ...rest } = options;
  const settings: Options = { reject: false, stdin: options.input === undefined ? 'ignore' : 'pipe', ...rest };
  const result = await execa(file, args, settings);
  if (!result.failed) return String(result.stdout ?? '');
  const tail = String(result.stderr ?? '').trim().split('\n').slice(-12).join('\n');
  throw new LabError(
    `${quoteArguments([file, ...args])} failed (${result.exitCode ?? result.originalMessage ?? 'killed'})${tail ? `:\n${tail}` : ''}`,
    hint === undefined ? {} : { hint },
  );
}
