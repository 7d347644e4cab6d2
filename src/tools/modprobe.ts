import { run } from './command.ts';

/** A module as modprobe would insert it. */
export interface Module {
  readonly path: string;
  /** From modprobe.d(5) and the kernel's command line. */
  readonly options: string;
}

export interface Modules {
  /** Each after those that it needs. */
  readonly inserts: readonly Module[];
  /** Names and aliases that this kernel knows neither as modules nor as built in. */
  readonly unknown: readonly string[];
  /** Lines that say something else, such as `install` rules of modprobe.d(5). */
  readonly strange: readonly string[];
}

/** What a kernel, not the one that runs, has to load for these names and aliases. */
export async function modulesFor(release: string, names: readonly string[]): Promise<Modules> {
  if (names.length === 0) return { inserts: [], unknown: [], strange: [] };
  const { stdout, stderr } = await run(['modprobe', '--set-version', release, '--all', '--show-depends', '--', ...names]);
  return parseModules(stdout, stderr);
}

export function parseModules(stdout: string, stderr: string): Modules {
  const inserts = new Map<string, Module>();
  const strange: string[] = [];
  for (const line of stdout.split('\n').map((text) => text.trim()).filter(Boolean)) {
    const [, path, options] = /^insmod (\S+)\s*(.*)$/s.exec(line) ?? [];
    if (path !== undefined) inserts.set(path, inserts.get(path) ?? { path, options: options ?? '' });
    else if (!line.startsWith('builtin ')) strange.push(line);
  }
  const unknown: string[] = [];
  for (const line of stderr.split('\n').filter(Boolean)) {
    const name = /Module (\S+) not found in directory/.exec(line)?.[1];
    if (name === undefined) strange.push(line);
    else unknown.push(name);
  }
  return { inserts: [...inserts.values()], unknown, strange };
}

/** Firmware files that these modules may ask for. */
export async function firmwareOf(modules: readonly Module[]): Promise<string[]> {
  if (modules.length === 0) return [];
  const { stdout } = await run(['modinfo', '--field', 'firmware', '--', ...modules.map(({ path }) => path)]);
  return stdout.split('\n').filter(Boolean);
}
