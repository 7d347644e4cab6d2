import { apparmor } from './apparmor.ts';
import { bootServices } from './boot-services.ts';
import { filesystems } from './filesystems.ts';
import { firewall } from './firewall.ts';
import { hostname } from './hostname.ts';
import { inactiveUnits } from './inactive-units.ts';
import type { StateKind } from './kind.ts';
import { network } from './network.ts';
import { runtimeUnits } from './runtime-units.ts';
import { sysctl } from './sysctl.ts';
import { tmpfs } from './tmpfs.ts';

/** Every kind of machine state that comes along besides the tasks. */
export const stateKinds: readonly StateKind[] = [hostname, sysctl, bootServices, filesystems, apparmor, firewall, network, tmpfs, runtimeUnits, inactiveUnits];
