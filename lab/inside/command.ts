import type { ExecResult } from '../guest/guest.js';
import type { Guest } from '../lab.js';

/** The longest that one command may take in an emulated guest that does much besides. */
export const COMMAND_MS = 400_000;

/** Runs segue as root and gives its exit code and its words, whatever they are. */
export async function segue(guest: Guest, ...args: readonly string[]): Promise<ExecResult> {
  return await guest.exec(['segue', ...args], { reject: false, timeoutMs: COMMAND_MS });
}

/** The lines that a shell command in the guest prints; none if it prints nothing. */
export async function lines(guest: Guest, script: string): Promise<string[]> {
  const { stdout } = await guest.exec(script, { timeoutMs: COMMAND_MS });
  return stdout.split('\n').filter((line) => line !== '');
}

export async function line(guest: Guest, script: string): Promise<string> {
  return (await lines(guest, script)).join('\n');
}
