import { existsSync, promises as fs } from 'node:fs';
import { dirname } from 'node:path';
import { failed, ok, type Result } from '../failure/result.ts';

/** Whoever works on goes on writing to the disk: its last bytes are not for images. */
const LEFT_FOR_OTHERS = 64 * 2 ** 20;

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await fs.statfs(folder);
  return bavail * bsize;
}

/**
 * Whether so many more bytes may be written to a hand-over. Its container promises more than the disk may have by now: others
 * have written since the room was looked at, and would find it full.
 */
export async function requireRoom(handover: string, neededBytes: number): Promise<Result<undefined>> {
  const path = dirname(handover);
  const free = Math.min(await freeBytes(handover), existsSync(`${path}/vault`) ? (await freeBytes(path)) - LEFT_FOR_OTHERS : Infinity);
  return free < neededBytes ? failed({ reason: 'store-too-small', path, neededBytes, freeBytes: Math.max(0, free) }) : ok(undefined);
}
