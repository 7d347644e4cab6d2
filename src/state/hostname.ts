import { ok } from '../failure/result.ts';
import { hostname as currentHostname } from 'node:os';
import type { StateKind } from './kind.ts';

/** The host name that is set now, which need not be the one in /etc/hostname. */
export const hostname: StateKind = {
  name: 'host name',
  carry: ({ paths }) => Promise.resolve(ok([{ phase: 'prepare', title: 'note the host name', action: { kind: 'write', path: `${paths.state}/hostname`, content: `${currentHostname()}\n` } }])),
};
