import { ok } from '../failure/result.ts';
import type { StateKind } from './kind.ts';

/** Services that do at a boot what boot/state does before the restores, and their word for boot/once. */
const DONE_BEFORE = [['systemd-sysctl.service', 'sysctl'], ['systemd-tmpfiles-setup.service', 'tmpfiles']] as const;

/** What a boot would do to settings and files that are in use again is done before, and not a second time. */
export const bootServices: StateKind = {
  name: 'services of the boot',
  carry: ({ paths }) =>
    Promise.resolve(ok(DONE_BEFORE.map(([unit, word]) => ({
      phase: 'prepare',
      title: `have ${unit} leave alone what was put back`,
      action: { kind: 'write', path: `${paths.units}/${unit}.d/zz-segue.conf`, content: `[Service]\nExecStart=\nExecStart=/usr/lib/segue/once ${word}\n` },
    })))),
};
