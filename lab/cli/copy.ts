import { buildCommand } from '@stricli/core';
import { UsageError } from '../errors.js';
import { lab } from './common.js';

/** A side of a copy: `NAME:PATH` in a guest, or a path of the host. A path with a slash before the colon is the host's. */
export function parseSide(side: string): { guest: string | undefined; path: string } {
  const match = /^([^/:]+):(.*)$/s.exec(side);
  return match === null ? { guest: undefined, path: side } : { guest: match[1], path: match[2] || '.' };
}

async function copy(_flags: object, source: string, destination: string): Promise<void> {
  const from = parseSide(source);
  const to = parseSide(destination);
  if (from.guest === undefined && to.guest !== undefined) await lab().guest(to.guest).copyIn(from.path, to.path);
  else if (from.guest !== undefined && to.guest === undefined) await lab().guest(from.guest).copyOut(from.path, to.path);
  else throw new UsageError('one side of a copy must be in a guest, and the other on the host', { hint: 'npm run lab -- copy FILE NAME:/path' });
}

export const copyCommand = buildCommand({
  func: copy,
  parameters: {
    positional: {
      kind: 'tuple',
      parameters: [
        { parse: String, brief: 'From: a path, or NAME:PATH', placeholder: 'SRC' },
        { parse: String, brief: 'To: a path, or NAME:PATH', placeholder: 'DST' },
      ],
    },
  },
  docs: { brief: 'Copy files or folders into a guest or out of it' },
});
