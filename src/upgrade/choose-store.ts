import { existsSync, readFileSync } from 'node:fs';
import { handoverPaths, type WayBackPolicy } from '../model/handover.ts';
import type { StoreChoice } from '../model/store.ts';
import { configuredRegion, readRamStore, unfit } from '../survey/ram-store.ts';
import { isMounted } from '../tools/mount.ts';
import { readNote } from '../tools/pmem.ts';

export interface StoreWishes {
  /** The folder on the disk. */
  readonly store: string;
  readonly id: string;
  /** Whether the administrator leaves it to us. */
  readonly ram: boolean;
  readonly release: string;
  readonly neededBytes: number;
  readonly wayBack: WayBackPolicy;
}

/**
 * Memory, where it was set up and is as it should be, and the disk otherwise: found out before anything is touched. An
 * upgrade that was prepared stays where it is.
 */
export async function chooseStore({ store, id, ram, release, neededBytes, wayBack }: StoreWishes): Promise<StoreChoice> {
  const { vault, handover, ramNote } = handoverPaths(store, id);
  const place = { id, folder: handover, note: ramNote };
  const onDisk = { kind: 'disk', vault } as const;
  const configured = await configuredRegion();
  const lasting = configured === undefined ? {} : { region: configured };
  if (await isMounted(handover)) {
    const there = existsSync(ramNote) ? readNote(readFileSync(ramNote, 'utf8'), place) : undefined;
    return there === undefined ? { place: onDisk, ...lasting } : { place: { kind: 'ram', ram: { ...there, wayBack } }, region: there.region };
  }
  if (!ram) return { place: onDisk, ...lasting };
  const found = await readRamStore();
  switch (found.kind) {
    case 'none':
      return { place: onDisk };
    case 'to-come':
      return { place: onDisk, region: found.region, why: 'the running kernel was not told to leave that memory alone; the next one will be' };
    case 'bad':
      return { place: onDisk, ...lasting, why: found.why, bad: true };
    case 'ready': {
      const why = await unfit(found.region, release, neededBytes);
      return why === undefined ? { place: { kind: 'ram', ram: { ...place, region: found.region, wayBack } }, region: found.region } : { place: onDisk, region: found.region, why, bad: true };
    }
  }
}
