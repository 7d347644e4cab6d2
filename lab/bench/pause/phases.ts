import { lengthOf, type Gap } from './gaps.js';

/** What a pause is made of, one after the other. */
export const PHASES = {
  stop: 'in the old kernel: stopping, or parking, what runs',
  kexec: 'from the old kernel’s last answer to the first tick of the new one: kexec or firmware, and unpacking the kernel',
  boot: 'the kernel and its initramfs, until systemd',
  start: 'systemd until the answer: starting, or restoring',
} as const;
export type PhaseName = keyof typeof PHASES;
export const PHASE_NAMES = Object.keys(PHASES) as PhaseName[];

/** Where to look first when a phase takes too long. */
export const NEXT: Readonly<Record<PhaseName, string>> = {
  stop: 'image more beforehand and less while everything stands still, or into RAM',
  kexec: 'a smaller kernel and initramfs to check and unpack',
  boot: 'fewer modules, and less that waits for devices, in the initramfs',
  start: 'begin to restore the critical workloads before systemd is up',
};

export type Phases = Readonly<Record<PhaseName, number>>;

/** The phase that takes the most above what it takes in another pause. */
export function longestAbove(phases: Phases, base: Phases): PhaseName {
  return PHASE_NAMES.reduce((a, b) => (phases[b] - base[b] > phases[a] - base[a] ? b : a));
}

/** Moments of one upgrade, by the host's clock. */
export interface Moments {
  /** The network's last answer from the old kernel. */
  readonly left: number;
  /** The first tick of the new kernel. */
  readonly kernel: number;
  /** systemd's first, in the root filesystem. Without it, the network's answer is the end. */
  readonly userspace?: number | undefined;
}

/** Each moment lies within the gap, and none before the one that it follows: clocks are compared over a network. */
export function phasesOf(gap: Gap, { left, kernel, userspace }: Moments): Phases {
  const within = (moment: number, earliest: number): number => Math.min(Math.max(moment, earliest), gap.to);
  const end = within(left, gap.from);
  const begin = within(kernel, end);
  const system = within(userspace ?? gap.to, begin);
  return {
    stop: lengthOf({ from: gap.from, to: end }),
    kexec: lengthOf({ from: end, to: begin }),
    boot: lengthOf({ from: begin, to: system }),
    start: lengthOf({ from: system, to: gap.to }),
  };
}
