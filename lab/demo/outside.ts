import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { Guest } from '../guest/guest.js';
import { Uptimes } from './uptimes.js';

/** The command that runs one of this tree's programs outside the guest, in its network. */
export function outsideCommand(guest: Guest, program: URL, args: readonly string[]): [string, ...string[]] {
  const [file = '', ...rest] = guest.outside([
    process.execPath,
    '--import',
    import.meta.resolve('tsx'),
    fileURLToPath(program),
    ...args,
  ]);
  return [file, ...rest];
}

export async function readUptimes(guest: Guest): Promise<Uptimes> {
  const [file, ...args] = outsideCommand(guest, new URL('uptimes-main.ts', import.meta.url), [guest.address]);
  const { stdout } = await execa(file, args, { timeout: 60_000 });
  return Uptimes.parse(JSON.parse(stdout));
}
