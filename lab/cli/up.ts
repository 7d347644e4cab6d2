import { buildCommand } from '@stricli/core';
import { openLab } from '../lab.js';
import { logToStderr } from '../log.js';

interface Flags {
  readonly name: string;
  readonly packages?: readonly string[];
  readonly memory: string;
  readonly kernel: string;
  readonly append?: string;
  readonly mirror?: string;
  readonly segue: boolean;
  readonly boot: boolean;
  readonly refresh: boolean;
}

async function up(flags: Flags): Promise<void> {
  const { mirror, refresh, ...options } = flags;
  const lab = openLab({ ...(mirror === undefined ? {} : { mirror }), refresh, log: logToStderr });
  const guest = await lab.up({ ...options, disposable: false });
  process.stdout.write(`${guest.name}\n`);
}

export const upCommand = buildCommand({
  func: up,
  parameters: {
    flags: {
      name: { kind: 'parsed', parse: String, brief: 'Name of the guest', default: 'guest' },
      packages: {
        kind: 'parsed', parse: String, brief: 'Debian packages on top of the usual ones', optional: true,
        variadic: ',', placeholder: 'a,b,c',
      }, // prettier-ignore
      memory: { kind: 'parsed', parse: String, brief: 'Its memory', default: '4G' },
      kernel: { kind: 'parsed', parse: String, brief: 'Kernel to boot: 6.12, newest, or a whole release', default: '6.12' },
      append: { kind: 'parsed', parse: String, brief: "More for the kernel's command line", optional: true },
      mirror: { kind: 'parsed', parse: String, brief: "Debian mirror (default: the host's own)", optional: true, placeholder: 'URL' },
      segue: { kind: 'boolean', brief: "Install Segue's package", default: true, withNegated: true },
      boot: { kind: 'boolean', brief: 'Boot afresh instead of going on from a saved state', default: false, withNegated: false },
      refresh: { kind: 'boolean', brief: 'Ask the mirror again which kernel is the newest', default: false, withNegated: false },
    },
  },
  docs: { brief: 'Bring a guest up; the first time, build it' },
});
