import { promises as fs } from 'node:fs';
import { run } from './command.ts';

export interface Busybox {
  readonly path: string;
  readonly applets: readonly string[];
  /** The shared libraries that it needs, and the loader. */
  readonly libraries: readonly string[];
}

/** The machine's busybox; undefined when there is none that runs. */
export async function findBusybox(): Promise<Busybox | undefined> {
  for (const path of ['/usr/bin/busybox', '/bin/busybox']) {
    if (!(await fs.access(path, fs.constants.X_OK).then(() => true, () => false))) continue;
    const [list, linked] = await Promise.all([run([path, '--list']), run(['ldd', path])]);
    if (list.exitCode === 0) return { path, applets: list.stdout.split('\n').filter(Boolean), libraries: parseLdd(linked.stdout) };
  }
  return undefined;
}

/** The paths in what ldd(1) prints; none of a static program. */
export const parseLdd = (text: string): string[] => text.split('\n').flatMap((line) => /^\s*(?:\S+ => )?(\/\S+) \(0x/.exec(line)?.[1] ?? []);
