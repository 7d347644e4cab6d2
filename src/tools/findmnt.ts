import * as z from 'zod';
import { ok, type Result } from '../failure/result.ts';
import { parseJson, runOk, unreadable } from './command.ts';

// What `findmnt --json --list` prints (findmnt(8)).
const Mounts = z.object({ filesystems: z.array(z.object({ target: z.string(), fstype: z.string(), options: z.string() })) });

export interface MountedAt {
  readonly path: string;
  readonly type: string;
  /** Those of the mount and of the filesystem, as mount(8) takes them. */
  readonly options: string;
}

const LIST = ['findmnt', '--json', '--list', '--kernel', '--output', 'TARGET,FSTYPE,OPTIONS'];

export function parseMounts(text: string): Result<MountedAt[]> {
  const parsed = Mounts.safeParse(parseJson(text));
  return parsed.success ? ok(parsed.data.filesystems.map(({ target, fstype, options }) => ({ path: target, type: fstype, options }))) : unreadable(LIST, text);
}

/** The machine's mounts, in the order in which they were made. */
export async function mounts(): Promise<Result<MountedAt[]>> {
  const shown = await runOk(LIST);
  return shown.ok ? parseMounts(shown.value) : shown;
}
