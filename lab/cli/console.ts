import { buildCommand } from '@stricli/core';
import { execa } from 'execa';
import { lab, nameParameter } from './common.js';

async function showConsole(flags: { readonly follow: boolean; readonly lines: number }, name: string): Promise<void> {
  const { console: file } = lab().guest(name).record;
  await execa('tail', ['-n', String(flags.lines), ...(flags.follow ? ['-F'] : []), file], { stdio: 'inherit', reject: false });
}

export const consoleCommand = buildCommand({
  func: showConsole,
  parameters: {
    flags: {
      follow: { kind: 'boolean', brief: 'Go on with what comes', default: false, withNegated: false },
      lines: { kind: 'parsed', parse: Number, brief: 'How many of the last lines', default: '1000' },
    },
    positional: { kind: 'tuple', parameters: [nameParameter] },
    aliases: { f: 'follow', n: 'lines' },
  },
  docs: { brief: "Print a guest's serial console" },
});
