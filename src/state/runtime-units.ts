import { ok } from '../failure/result.ts';
import type { StateKind } from './kind.ts';

/**
 * Unit files and drop-ins of carried workloads that exist in /run only (systemd-run, `systemctl edit --runtime`,
 * `systemctl set-property --runtime`). They are part of the unit that restores it; `segue settle` lays them back.
 */
export const runtimeUnits: StateKind = {
  name: 'runtime units',
  carry: ({ paths, carried }) =>
    Promise.resolve(ok(carried.flatMap(({ unitFiles }) => unitFiles.flatMap(({ path, content }) => {
      const match = /^\/run\/systemd\/(?:transient|system|system\.control)\/([^/]+(?:\/[^/]+)?)$/.exec(path);
      return match === null ? [] : [{ phase: 'prepare' as const, title: `keep ${path}`, action: { kind: 'write' as const, path: `${paths.handover}/runtime-units/${match[1] ?? ''}`, content } }];
    })))),
};
