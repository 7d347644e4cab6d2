import { homedir } from 'node:os';
import { join } from 'node:path';
import { LabError } from './errors.js';

/** Where the lab keeps its files. */
export interface Places {
  /** Images, saved states, QEMU, disks of running guests: large, worth keeping. */
  readonly cache: string;
  /** What is known of running guests: small, gone after a reboot of the host, as the guests are. */
  readonly runtime: string;
  /** Root can build images and give guests a network namespace. */
  readonly root: boolean;
}

export function findPlaces(env: NodeJS.ProcessEnv = process.env, uid = process.getuid?.() ?? 0): Places {
  const root = uid === 0;
  const cache =
    env['SEGUE_LAB_CACHE'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'segue-lab');
  if (!cache.startsWith('/')) {
    throw new LabError(`the lab's cache must be an absolute path, but is ${cache}`, {
      hint: 'set SEGUE_LAB_CACHE to a path that begins with /',
    });
  }
  if (root) return { cache, runtime: '/run/segue-lab', root };
  const runtime = env['XDG_RUNTIME_DIR'];
  if (runtime === undefined) {
    throw new LabError('XDG_RUNTIME_DIR is not set, so there is no place to note down running guests', {
      hint: 'run the lab as root, or from a login session',
    });
  }
  return { cache, runtime: join(runtime, 'segue-lab'), root };
}
