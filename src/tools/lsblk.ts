import * as z from 'zod';
import { ok, type Result } from '../failure/result.ts';
import { parseJson, runOk, unreadable } from './command.ts';

// What `lsblk --json --list` prints (lsblk(8)). A device below several others is there several times.
const Devices = z.object({ blockdevices: z.array(z.object({ name: z.string(), 'maj:min': z.string(), uuid: z.string().nullable() })) });
export interface BlockDevice {
  readonly name: string;
  /** `MAJOR:MINOR` */
  readonly number: string;
  /** Of the filesystem on it. */
  readonly uuid: string | undefined;
}

const LIST = ['lsblk', '--json', '--list', '--output', 'NAME,MAJ:MIN,UUID'];

export async function blockDevices(): Promise<Result<BlockDevice[]>> {
  const shown = await runOk(LIST);
  return shown.ok ? parseBlockDevices(shown.value) : shown;
}

export function parseBlockDevices(text: string): Result<BlockDevice[]> {
  const parsed = Devices.safeParse(parseJson(text));
  if (!parsed.success) return unreadable(LIST, text);
  const devices = parsed.data.blockdevices.map((device) => ({ name: device.name, number: device['maj:min'].trim(), uuid: device.uuid ?? undefined }));
  return ok([...new Map(devices.map((device) => [device.number, device])).values()]);
}
