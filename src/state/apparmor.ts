import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { ok } from '../failure/result.ts';
import type { HandoverPaths } from '../model/handover.ts';
import type { Step } from '../model/step.ts';
import type { Task } from '../model/task.ts';
import type { Workload } from '../model/workload.ts';
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

const profilesOf = (carried: readonly Workload[], wanted: (task: Task) => boolean): Set<string> =>
  new Set(carried.flatMap(({ trees }) => trees.flatMap(({ tasks }) => tasks.filter(wanted).map(({ profile }) => topProfile(profile)))));

interface Noted {
  readonly name: string;
  readonly file: string;
}

/** Where the profiles of these workloads are in the hand-over. */
const noted = (carried: readonly Workload[], paths: HandoverPaths): Noted[] =>
  [...profilesOf(carried, ({ profile }) => profile !== '')].map((name, index) => ({ name, file: `${paths.state}/apparmor/${index.toString()}` }));

/** Whether a profile forbids something to one of its tasks. */
export const isConfined = ({ trees }: Workload): boolean => trees.some(({ tasks }) => tasks.some(({ confined }) => confined));

/** A profile is one write (apparmor(7)). */
const REPLACE = '/sys/kernel/security/apparmor/.replace';

/**
 * Loads what each of these files has, but that it only complains: FORCE_COMPLAIN_FLAG in the version that each profile begins with, which is
 * 5 at least (verify_header() in security/apparmor/policy_unpack.c); tables within it have versions as well.
 */
const COMPLAIN = String.raw`
use strict;
local $/;
sub complaining { ($_[0] & 0x3ff) < 5 ? $_[0] : $_[0] | 0x800 }
my ($target, @profiles) = @ARGV;
for my $path (@profiles) {
  open(my $file, "<:raw", $path) or die "$path: $!\n";
  my $profile = <$file>;
  $profile =~ s/(\x04\x08\x00version\x00\x02)(....)/$1 . pack("V", complaining(unpack("V", $2)))/gse or die "$path is no profile of AppArmor\n";
  open(my $replace, ">:raw", $target) or die "$target: $!\n";
  defined syswrite($replace, $profile) or die "$path cannot be loaded: $!\n";
}`;

/**
 * What CRIU does in a task is done under its profile, and forbidden as a rule (it opens /proc, for one). So while everything stops the
 * profiles that forbid only complain. The new kernel has them as they were, and CRIU enters them last of all.
 */
export function complaining(carried: readonly Workload[], paths: HandoverPaths): Step[] {
  const names = profilesOf(carried, ({ confined }) => confined);
  const profiles = noted(carried, paths).filter(({ name }) => names.has(name));
  if (profiles.length === 0) return [];
  const files = profiles.map(({ file }) => file);
  return [{
    phase: 'park',
    title: `have AppArmor let CRIU image who is confined by ${profiles.map(({ name }) => name).join(', ')}`,
    action: { kind: 'run', argv: ['perl', '-e', COMPLAIN, REPLACE, ...files] },
    undo: { kind: 'run', argv: ['sh', '-c', `for profile; do dd if="$profile" of=${REPLACE} bs=64M iflag=fullblock status=none || exit; done`, 'sh', ...files] },
  }];
}

/** The profiles of AppArmor that confine carried tasks, as the kernel has them. */
export const apparmor: StateKind = {
  name: 'AppArmor profiles',
  carry({ paths, carried }) {
    const loaded = loadedProfiles();
    return Promise.resolve(ok(noted(carried, paths).flatMap(({ name, file }) => (loaded.has(name) ? [{
      phase: 'prepare' as const, title: `note the AppArmor profile ${name}`, action: { kind: 'run' as const, argv: ['sh', '-c', 'umask 077 && mkdir -p "${1%/*}" && cat "$0" >"$1"', loaded.get(name)!, file] },
    }] : []))));
  },
};
