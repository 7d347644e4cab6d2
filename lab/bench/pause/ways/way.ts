import type { BaseOptions, Guest } from '../../../lab.js';
import type { JournalEvent } from '../../journal.js';
import type { Prober } from '../prober/prober.js';

/** A way for a machine to come to its next kernel. */
export interface Way {
  readonly what: string;
  /** What can be done beforehand, while everything runs: it is not part of the pause. */
  readonly prepare?: (guest: Guest) => Promise<void>;
  /** Goes, and returns when every service is back; or, if nothing comes back, when the network is. */
  readonly go: (guest: Guest, prober: Prober) => Promise<Account>;
  /** The guest has nothing but its network afterwards. */
  readonly bare?: boolean;
  /** What its guest has besides. */
  readonly machine?: Pick<BaseOptions, 'memory' | 'append'>;
}

/** What the way itself has to tell. */
export interface Account {
  readonly events?: readonly JournalEvent[];
  /** How much its store took. */
  readonly storeMiB?: number;
  /** Of a bare guest, which nobody can ask later: milliseconds from the kernel's first tick to the network's answer. */
  readonly kernelMs?: number;
}
