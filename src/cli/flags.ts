import { LEAST } from '../survey/ram-region.ts';
import { spellBytes } from '../tools/memmap.ts';
import { STORE } from './output.ts';

const text = (input: string): string => input;

export const to = { kind: 'parsed', parse: text, brief: 'An installed kernel: its release, the beginning of one, or newest', placeholder: 'VERSION' } as const;
export const json = { kind: 'boolean', brief: 'Print JSON, which stays stable, instead of text for people', default: false, withNegated: false } as const;
export const yes = { kind: 'boolean', brief: 'Do not ask', default: false, withNegated: false } as const;
export const dryRun = { kind: 'boolean', brief: 'Print the very steps as commands, and do nothing', default: false, withNegated: false } as const;
export const debug = { kind: 'boolean', brief: 'Print every command as it runs', default: false, withNegated: false } as const;
export const afresh = { kind: 'parsed', parse: text, brief: 'Stop this unit and start it afresh, though it is not carried; can be given more than once', variadic: true, optional: true, placeholder: 'UNIT' } as const;
export const wayBack = { kind: 'enum', values: ['restore', 'afresh'], brief: 'If the new kernel does not come up: restore from the images once, or start everything afresh; by default restore, if no readable key is left on the disk for that', optional: true } as const;
export const keepImages = {
  kind: 'parsed',
  parse: (input: string): number => {
    const days = Number(input);
    if (!/^\d+$/.test(input) || days > 3650) throw new Error('a number of days, 0 to 3650');
    return days;
  },
  brief: 'How long the images of a workload that could not be restored are kept',
  default: '7',
  placeholder: 'DAYS',
} as const;
export const ramStore = {
  kind: 'parsed',
  /** Bytes; 0 for none. */
  parse: (input: string): number => {
    const [, count, unit] = /^(\d{1,6})([MG])$/i.exec(input) ?? [];
    const bytes = /^(0|off)$/i.test(input) ? 0 : Number(count ?? Number.NaN) * (unit?.toUpperCase() === 'G' ? 2 ** 30 : 2 ** 20);
    if (Number.isNaN(bytes)) throw new Error('a size such as 4G or 512M, or off');
    if (bytes !== 0 && bytes < LEAST) throw new Error(`at least ${spellBytes(LEAST)}, or off`);
    return bytes;
  },
  brief: 'Set so much memory aside for the images of upgrades; off gives it back',
  placeholder: 'SIZE',
  optional: true,
} as const;
export const store = {
  kind: 'parsed',
  parse: (input: string): string => {
    if (!/^(\/[A-Za-z0-9._-]+)+\/*$/.test(input)) throw new Error('the store must be an absolute path of letters, digits and ._-/');
    return input.replace(/\/+$/, '');
  },
  brief: 'Folder on the root filesystem for the images',
  default: STORE,
  placeholder: 'DIR',
} as const;
/** Where the images of an upgrade are to be: undefined leaves it to us. */
export const imageStore = {
  kind: 'parsed',
  parse: (input: string): string => (input === 'disk' ? STORE : store.parse(input)),
  brief: `Keep the images on the disk (in ${STORE}, or the folder named), even if \`segue setup --ram-store\` has set memory up`,
  optional: true,
  placeholder: 'disk|DIR',
} as const;
