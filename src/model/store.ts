import type { Region } from '../tools/memmap.ts';
import type { RamPlace } from '../tools/pmem.ts';
import type { Vault } from '../tools/vault.ts';

/** Where the hand-over lives across the jump: what `src/store/` opens and wipes. */
export type StorePlace =
  /** In an encrypted container on the disk. */
  | { readonly kind: 'disk'; readonly vault: Vault }
  /** In memory that the new kernel leaves alone. */
  | { readonly kind: 'ram'; readonly ram: RamPlace };

/** Where it is to live, as the machine is. */
export interface StoreChoice {
  readonly place: StorePlace;
  /** What the new kernel is to leave alone, whether or not this upgrade uses it. */
  readonly region?: Region;
  /** Memory was set up for it: why it is on the disk all the same. */
  readonly why?: string;
  /** Something is wrong with that memory, and the administrator should know. */
  readonly bad?: true;
}
