import type { ExecResult } from '../guest/guest.js';
import type { Guest } from '../lab.js';
import { COMMAND_MS } from './command.js';

export interface Attempt extends ExecResult {
  /** From the deed until no task was stopped or traced any more; undefined if nothing was waited for. */
  readonly stoppedMs: number | undefined;
}

/** A line that the upgrade says, or a step of it, which is in its journal before it takes effect. */
export type Moment = string | PlannedStep;

export interface PlannedStep {
  readonly title: string;
  readonly unit?: string | undefined;
}

export const nameOf = ({ title, unit }: PlannedStep): string => (unit === undefined ? title : `${unit}: ${title}`);

/** Waits until CRIU holds the main process of a unit, which is then $pid. */
export const untilImaged = (unit: string): string => `pid=$(systemctl show -P MainPID ${unit}); until grep -q '^State:.t' /proc/$pid/status; do :; done`;

/** Whether a task is stopped or traced, or a unit frozen. */
export const STANDS_STILL = 'grep -qs "^State:.[Tt]" /proc/[0-9]*/status || grep -qs 1 /sys/fs/cgroup/system.slice/*/cgroup.freeze';

/** The same, of those whom CRIU does not hold. */
export const STANDS_BY_ITSELF = '{ grep -qs "^State:.T" /proc/[0-9]*/status || grep -qs 1 /sys/fs/cgroup/system.slice/*/cgroup.freeze; }';

/** Waits until no task is stopped, and no unit frozen, and says how long that took. */
export const UNTIL_RUNNING = `since=$EPOCHREALTIME; while ${STANDS_STILL}; do sleep 0.1; done; echo "stopped for $(( (\${EPOCHREALTIME/./} - \${since/./}) / 1000 )) ms"`;

const UPGRADE = 'env --default-signal segue upgrade --to newest --yes';

/** What it says, line by line, as it says it. */
const SAID = `
    exec 3< <(exec ${UPGRADE} 2>&1)
    segue=$!
`;

/** The steps in its journal, one a line, as they are begun; what it says comes in the end. */
const STEPS = `
    said=$(mktemp)
    : >"$said.begun"
    ${UPGRADE} >"$said" 2>&1 &
    segue=$!
    follow() {
      until for journal in /var/lib/segue/upgrades/*/journal.ndjson; do [ "$journal" -nt "$said.begun" ] && break; done; do
        kill -0 "$segue" 2>/dev/null || return
        sleep 0.05
      done
      tail --lines=+1 --follow --sleep-interval=0.2 --pid="$segue" "$journal" |
        sed --unbuffered -n 's/.*"event":"\\(step\\|jumping\\)".*"step":"\\([^"]*\\)","unit":"\\([^"]*\\)".*/\\3: \\2/p; t; s/.*"event":"\\(step\\|jumping\\)".*"step":"\\([^"]*\\)".*/\\2/p'
    }
    exec 3< <(follow)
    trap 'cat "$said"; rm -f "$said" "$said.begun"' EXIT
`;

/**
 * Runs an upgrade, and at a moment does something as root in the guest's bash, where $segue is its process.
 * Ends when also the guard has ended. `onLine` hears every line outside.
 */
export async function attempt(guest: Pick<Guest, 'exec'>, moment: Moment, deed: string, onLine?: (line: string) => void): Promise<Attempt> {
  const [begin, matches, text] = typeof moment === 'string' ? [SAID, '*"$1"*', moment] : [STEPS, '"$1"', nameOf(moment)];
  const script = `
    ${begin}
    while IFS= read -r line <&3; do
      printf '%s\\n' "$line"
      case $line in ${matches}) eval "$2" ;; esac
    done
    wait "$segue"
    code=$?
    segue status --wait >/dev/null
    exit "$code"
  `;
  const result = await guest.exec(['bash', '-c', script, 'bash', text, deed], { reject: false, timeoutMs: COMMAND_MS, ...(onLine === undefined ? {} : { onLine }) });
  const stopped = /^stopped for (\d+) ms$/m.exec(result.stdout)?.[1];
  return { ...result, stoppedMs: stopped === undefined ? undefined : Number(stopped) };
}
