import { existsSync, readFileSync } from 'node:fs';
import type { Result } from '../failure/result.ts';
import { handoverPaths } from '../model/handover.ts';
import type { StorePlace } from '../model/store.ts';
import { readNote } from '../tools/pmem.ts';
import { disk } from './disk.ts';
import { ram } from './ram.ts';

/** Where the hand-over is kept across the jump, whatever it is kept in. */
export interface Store {
  /** Makes it, for root only, and mounts it where the hand-over is to be; one that is open is left as it is. */
  open(): Promise<Result<undefined>>;
  /** What `open` amounts to, as commands. */
  opening(): string[];
  wiping(): string[];
  /** How much everybody else comes before what the kernel does of itself for what is written to it, as a nice value. */
  setNice(nice: number): Promise<void>;
  settingNice(nice: number): string;
  /** Mounts one that is there, in this kernel or a later one. */
  reopen(): Promise<Result<unknown>>;
  /** Somebody can read it, now or after `reopen`. */
  isReadable(): Promise<boolean>;
  /** Forgets what is needed to open it once more: it stays as it is for as long as this kernel runs. */
  forgetKey(): Promise<void>;
  /** Leaves nothing of it that anybody can read, and gives back what it took. */
  wipe(): Promise<Result<undefined>>;
}

export const storeOf = (place: StorePlace): Store => (place.kind === 'disk' ? disk(place.vault) : ram(place.ram));

/** The store that an upgrade uses, as its folder on the disk says. */
export function storeAt(store: string, id: string): Store {
  const { vault, handover, ramNote } = handoverPaths(store, id);
  const place = existsSync(ramNote) ? readNote(readFileSync(ramNote, 'utf8'), { id, folder: handover, note: ramNote }) : undefined;
  return storeOf(place === undefined ? { kind: 'disk', vault } : { kind: 'ram', ram: place });
}
