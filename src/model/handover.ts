import { MEMORY, type Vault } from '../tools/vault.ts';

/** Where things are in the folder that crosses the jump. The format is described in docs/handover.md. */
export interface HandoverPaths {
  readonly upgrade: string;
  readonly handover: string;
  readonly units: string;
  readonly state: string;
  readonly workload: (unit: string) => string;
  readonly tree: (unit: string, pid: number) => string;
  readonly vault: Vault;
  /** Says that the hand-over is in memory instead, and where. */
  readonly ramNote: string;
  /** The upgrade is over, also for a boot with the same command line. */
  readonly settled: string;
}

/** The first line of the hand-over; boot/lock refuses any other. */
export const HANDOVER_FORMAT = 'segue-handover 2';

/**
 * Made before the jump, and gone when the upgrade is settled or given up: `ID STORE BOOT-ID`. By it a boot that is no jump
 * finds the hand-over. In /etc, which is on the root filesystem everywhere: nothing else is mounted when it is read.
 */
export const WAY_BACK = '/etc/segue/way-back';

/** Which memory kernels are to leave alone for the hand-over: written by `segue setup`, for good. */
export const RAM_STORE = '/etc/segue/ram-store';

/** What the machine does with the hand-over when the new kernel does not come up. */
export type WayBackPolicy = 'restore' | 'afresh';

export function handoverPaths(store: string, id: string): HandoverPaths {
  const upgrade = `${store}/upgrades/${id}`;
  const handover = `${upgrade}/handover`;
  return {
    upgrade,
    handover,
    units: `${handover}/units`,
    state: `${handover}/state`,
    workload: (unit) => `${handover}/workloads/${unit}`,
    tree: (unit, pid) => `${handover}/workloads/${unit}/trees/${pid.toString()}`,
    vault: { file: `${upgrade}/vault`, name: `segue-${id}`, folder: handover, key: `${MEMORY}/key-${id}`, sealedKey: `${upgrade}/key` },
    ramNote: `${upgrade}/ram`,
    settled: `${upgrade}/settled`,
  };
}
