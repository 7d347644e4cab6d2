import { STANDS_STILL } from '../inside/attempt.js';

/** `both`: segue and its guard, as by one who kills every process of their name. */
export type Target = 'segue' | 'guard' | 'both' | 'criu';
export type StrikeSignal = 'KILL' | 'TERM' | 'STOP';

export interface Strike {
  readonly target: Target;
  readonly signal: StrikeSignal;
  /** After the moment, seconds. */
  readonly delay?: number;
  /** Of a criu: for how long it has held a task by then, seconds. Has it let it go, the next that holds one is struck. */
  readonly held?: number;
}

const GUARD = '/sys/fs/cgroup/system.slice/segue-guard-*.service/cgroup.procs';

/** The ids of whom to strike. A criu is struck while it holds a task: before and after that it can do no harm. */
const FIND: Record<Target, string> = {
  segue: 'victim=$segue',
  guard: `read -r victim <${GUARD}`,
  both: `read -r victim <${GUARD}; victim="$segue $victim"`,
  criu: `victim=
while [ -z "$victim" ] && kill -0 "$segue" 2>/dev/null; do
  victim=$(grep -hs '^TracerPid:.[1-9]' /proc/[0-9]*/status | head -n 1)
  victim=\${victim##*[!0-9]}
done`,
};

/** Also when both are gone, until somebody has undone what they had begun. */
const RUNS = 'kill -0 "$segue" 2>/dev/null || compgen -G "/sys/fs/cgroup/system.slice/segue-guard-*" >/dev/null || compgen -G "/run/segue/begun-*" >/dev/null';
/** The longest that it is watched; what stands still then does so for ever. */
const WATCH_SECONDS = 200;

/**
 * For the bash of an attempt: strikes, then looks when a task stood still last, and when a socket was locked, from when the
 * upgrade gives up until it and its guard have ended. Times are microseconds of the guest's clock.
 */
export function strikeScript({ target, signal, delay = 0, held }: Strike): string {
  return `sleep ${delay.toFixed(3)}
${FIND[target]}
${held === undefined ? '' : `sleep ${held.toFixed(3)}\n${FIND[target]}`}
at=\${EPOCHREALTIME/./}
if [ -n "$victim" ] && kill -${signal} $victim 2>/dev/null; then echo "struck at $at"; fi
still=0 locked=0 end=$((SECONDS + ${WATCH_SECONDS}))
journal=$(ls -t /var/lib/segue/upgrades/*/journal.ndjson | head -n 1)
while [ $SECONDS -lt $end ] && { ${RUNS}; }; do
  grep -q '"event":"giving-up"' "$journal" || { sleep 0.2; continue; }
  if ${STANDS_STILL}; then still=\${EPOCHREALTIME/./}; fi
  if nft list tables | grep -qE ' (segue|CRIU)-'; then locked=\${EPOCHREALTIME/./}; fi
  sleep 0.05
done
echo "still until $still"
echo "locked until $locked"
`;
}

/** What a strike says, in milliseconds since the epoch. */
export interface Struck {
  readonly at: number;
  /** When it was last seen, if it was. */
  readonly stillUntil?: number;
  readonly lockedUntil?: number;
}

/** Undefined if there was nothing to strike. */
export function parseStruck(output: string): Struck | undefined {
  const time = (word: string): number | undefined => {
    const microseconds = Number(new RegExp(`^${word} (\\d+)$`, 'm').exec(output)?.[1] ?? 0);
    return microseconds === 0 ? undefined : Math.round(microseconds / 1000);
  };
  const at = time('struck at');
  if (at === undefined) return undefined;
  const [stillUntil, lockedUntil] = [time('still until'), time('locked until')];
  return { at, ...(stillUntil === undefined ? {} : { stillUntil }), ...(lockedUntil === undefined ? {} : { lockedUntil }) };
}

/**
 * For how long all stood still that was to be let go: from the strike, or from when the upgrade gave up if it went on
 * for a while, as it does without a snapshot. `givingUpAt` is from its journal.
 */
export function afterStrike({ at, stillUntil = 0, lockedUntil = 0 }: Struck, givingUpAt: number | undefined): { stillMs: number; lockedMs: number } {
  const from = Math.max(at, givingUpAt ?? 0);
  return { stillMs: Math.max(0, stillUntil - from), lockedMs: Math.max(0, lockedUntil - from) };
}
