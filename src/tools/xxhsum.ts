import { ok, type Result } from '../failure/result.ts';
import { inGroup } from './cgroup.ts';
import { runOk } from './command.ts';

export interface Checksum {
  /** As `xxhsum --check` takes it. */
  readonly line: string;
  readonly file: string;
}

/** The name in a line of xxhsum: one with a backslash is escaped, and the line then begins with another. */
export function fileOf(line: string): string {
  const name = line.replace(/^\S+ {2}/, '');
  return line.startsWith('\\') ? name.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character)) : name;
}

/**
 * XXH3 checksums of 128 bits, as xxhsum(1) writes and checks them, of files named from `folder` on. They find what a disk
 * or a bug did to a file, at the speed of memory. With a `group` they are computed in that cgroup.
 */
export async function checksums(folder: string, files: readonly string[], group?: string): Promise<Result<Checksum[]>> {
  const printed = await runOk(inGroup(['sh', '-c', 'cd "$0" && exec xargs -0 --no-run-if-empty xxhsum -H2', folder], group), { input: files.join('\0') });
  return printed.ok ? ok(printed.value.split('\n').filter(Boolean).map((line) => ({ line, file: fileOf(line) }))) : printed;
}
