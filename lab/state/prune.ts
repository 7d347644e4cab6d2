import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../log.js';

/** How many states that nothing else builds on are kept. */
const KEPT = 10;

export interface StateUse {
  readonly key: string;
  /** The state whose disk it builds on. */
  readonly parent: string | undefined;
  readonly usedAt: number;
}

/** The states that may go: those longest unused, and never one that another builds on. */
export function disusedStates(states: readonly StateUse[], kept = KEPT): string[] {
  const parents = new Set(states.map((state) => state.parent));
  return states
    .filter((state) => !parents.has(state.key))
    .sort((a, b) => b.usedAt - a.usedAt)
    .slice(kept)
    .map((state) => state.key);
}

/** Every change of Segue gives a state of half a gigabyte: the oldest make room for the newest. */
export async function pruneStates(states: string, log: Log): Promise<void> {
  const found: StateUse[] = [];
  for (const key of await readdir(states)) {
    if (!/^[0-9a-f]+$/.test(key)) continue;
    const parent = (await readFile(join(states, key, 'parent'), 'utf8').catch(() => '')).trim();
    found.push({ key, parent: parent === '' ? undefined : parent, usedAt: (await stat(join(states, key))).mtimeMs });
  }
  for (const key of disusedStates(found)) {
    log(`removing a saved state that was long not used (${key})`);
    // Guests that still run from it have its files open.
    await rm(join(states, key), { recursive: true, force: true });
  }
}
