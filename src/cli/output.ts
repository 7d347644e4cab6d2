import type { Failure } from '../failure/failure.ts';
import type { Result } from '../failure/result.ts';
import { words } from '../failure/words.ts';

/** Where the store is unless `--store` says otherwise. */
export const STORE = '/var/lib/segue';

const colours = process.stderr.isTTY && process.env['NO_COLOR'] === undefined && process.env['TERM'] !== 'dumb';
const paint = (code: string, text: string): string => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);
export const bold = (text: string): string => paint('1', text);
export const red = (text: string): string => paint('31', text);

/** Results go to the standard output, everything else to the standard error. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2));
}

/** Says a failure: what, why, what to do. */
export function report(failure: Failure): number {
  const { what, why, hint, exitCode } = words(failure);
  note(`${red('error:')} ${what}`);
  for (const line of why?.split('\n') ?? []) note(` -> ${line}`);
  if (hint !== undefined) note(`hint: ${hint}`);
  return exitCode;
}

/** The value, or undefined after the failure was said and the exit code set. */
export function unwrap<T>(result: Result<T>): T | undefined {
  if (result.ok) return result.value;
  process.exitCode = report(result.failure);
  return undefined;
}
