import { buildCommand } from '@stricli/core';
import { execa } from 'execa';
import { UsageError } from '../errors.js';
import { quoteArguments } from '../guest/quote.js';
import { sshCommand } from '../guest/ssh.js';
import { lab } from './common.js';

async function exec(_flags: object, name: string, ...command: string[]): Promise<void> {
  if (command.length === 0) {
    throw new UsageError('no command to run', { hint: 'npm run lab -- exec NAME -- COMMAND…' });
  }
  const guest = lab().guest(name);
  const [file = '', ...args] = sshCommand(guest.ssh, quoteArguments(command));
  const result = await execa(file, args, { reject: false, stdio: 'inherit' });
  process.exitCode = result.exitCode ?? 255;
  // Of ssh(1) itself; any other is the command's.
  if (process.exitCode === 255) process.stderr.write(`lab: the connection to ${name} failed; the end of its console:\n${guest.consoleTail(20)}\n`);
}

export const execCommand = buildCommand({
  func: exec,
  parameters: {
    positional: {
      kind: 'array',
      minimum: 1,
      parameter: { parse: String, brief: 'The guest, and after -- the command, whose arguments arrive unchanged', placeholder: 'NAME -- COMMAND' },
    },
  },
  docs: { brief: 'Run a command in a guest as root: its output, its exit code' },
});
