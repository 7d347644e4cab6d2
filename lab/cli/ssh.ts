import { buildCommand } from '@stricli/core';
import { execa } from 'execa';
import { sshCommand as commandLine } from '../guest/ssh.js';
import { lab, nameParameter } from './common.js';

async function ssh(_flags: object, name: string): Promise<void> {
  const [file = '', ...args] = commandLine(lab().guest(name).ssh, undefined, { shared: true, tty: true });
  const result = await execa(file, args, { reject: false, stdio: 'inherit' });
  process.exitCode = result.exitCode ?? 255;
}

export const sshCommand = buildCommand({
  func: ssh,
  parameters: { positional: { kind: 'tuple', parameters: [nameParameter] } },
  docs: { brief: 'Open a shell in a guest' },
});
