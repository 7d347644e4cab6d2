/** Where things are in the folder that crosses the jump. The format is described in docs/handover.md. */
export interface HandoverPaths {
  readonly upgrade: string;
  readonly handover: string;
  readonly units: string;
  readonly state: string;
  readonly workload: (unit: string) => string;
  readonly tree: (unit: string, pid: number) => string;
}

/** The first line of the hand-over; boot/lock refuses any other. */
export const HANDOVER_FORMAT = 'segue-handover 1';

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
  };
}
