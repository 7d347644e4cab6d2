import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { ok } from '../failure/result.ts';
import type { StateKind } from './kind.ts';

/** The profiles that are loaded; each has a folder, with those that it contains in another (Documentation/admin-guide/LSM/apparmor.rst). */
export const PROFILES = '/sys/kernel/security/apparmor/policy/profiles';

/** By its name, where the kernel has a profile as it was loaded. */
export function loadedProfiles(folder = PROFILES): Map<string, string> {
  const found = new Map<string, string>();
  for (const entry of existsSync(folder) ? readdirSync(folder) : []) {
    try {
      const name = readFileSync(`${folder}/${entry}/name`, 'utf8').trim();
      if (existsSync(`${folder}/${entry}/raw_data`)) found.set(name, `${folder}/${entry}/raw_data`);
    } catch {
      // It was removed meanwhile.
    }
  }
  return found;
}

/** A hat, or another profile within it, comes with the one at the top. */
export const topProfile = (profile: string): string => profile.split('//')[0] ?? '';

/** The profiles of AppArmor that confine carried tasks, as the kernel has them. */
export const apparmor: StateKind = {
  name: 'AppArmor profiles',
  carry({ paths, carried }) {
    const loaded = loadedProfiles();
    const used = new Set(carried.flatMap(({ trees }) => trees.flatMap(({ tasks }) => tasks.map(({ profile }) => topProfile(profile)))));
    const files = [...used].flatMap((name, index) => (loaded.has(name) ? [{ name, from: loaded.get(name)!, to: `${paths.state}/apparmor/${index.toString()}` }] : []));
    return Promise.resolve(ok(files.map(({ name, from, to }) => ({
      phase: 'prepare' as const, title: `note the AppArmor profile ${name}`, action: { kind: 'run' as const, argv: ['sh', '-c', 'umask 077 && mkdir -p "${1%/*}" && cat "$0" >"$1"', from, to] },
    }))));
  },
};
