import { buildCommand } from '@stricli/core';
import { UsageError } from '../errors.js';
import { lab } from './common.js';

async function down(flags: { readonly all: boolean }, ...names: string[]): Promise<void> {
  const here = lab();
  if (!flags.all && names.length === 0) {
    throw new UsageError('no guest named', { hint: 'npm run lab -- down NAME, or --all' });
  }
  if (flags.all && names.length > 0) throw new UsageError('name guests, or say --all, not both');
  // Those that belong to a lab that is at work are its own affair.
  const guests = flags.all
    ? here.list().filter((record) => record.owner === undefined).map((record) => here.guest(record.name))
    : names.map((name) => here.guest(name));
  for (const guest of guests) await guest.down();
  await here.sweep();
}

export const downCommand = buildCommand({
  func: down,
  parameters: {
    flags: { all: { kind: 'boolean', brief: 'All guests that `up` left running', default: false, withNegated: false } },
    positional: { kind: 'array', parameter: { parse: String, brief: 'The guests', placeholder: 'NAME' } },
  },
  docs: { brief: 'End guests, with their disks and networks' },
});
