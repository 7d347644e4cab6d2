import { buildCommand } from '@stricli/core';
import { pasteable } from '../guest/guest.js';
import { lab, nameParameter } from './common.js';

function addr(flags: { readonly json: boolean }, name: string): void {
  const guest = lab().guest(name);
  const { namespace, sshPort } = guest.record;
  const outside = guest.outside([]);
  if (flags.json) {
    process.stdout.write(
      `${JSON.stringify({ schemaVersion: 1, name, address: guest.address, namespace: namespace ?? null, clientPrefix: outside, sshPort: sshPort ?? 22 })}\n`,
    );
    return;
  }
  process.stdout.write(`${guest.address}\n`);
  process.stderr.write(
    namespace === undefined
      ? `only ssh is reachable: 127.0.0.1 port ${sshPort ?? '?'} (run the lab as root to reach the rest)\n`
      : `clients run like this: ${pasteable(outside)} COMMAND… ${guest.address}\n`,
  );
}

export const addrCommand = buildCommand({
  func: addr,
  parameters: {
    flags: { json: { kind: 'boolean', brief: 'Print JSON', default: false, withNegated: false } },
    positional: { kind: 'tuple', parameters: [nameParameter] },
  },
  docs: { brief: "Print a guest's address, and how to reach it" },
});
