import type { ExecResult } from '../guest/guest.js';
import type { Guest } from '../lab.js';
import { COMMAND_MS } from './command.js';

export interface Attempt extends ExecResult {
  /** From the deed until no task was stopped or traced any more; undefined if nothing was waited for. */
  readonly stoppedMs: number | undefined;
}

/** Waits until CRIU holds the main process of a unit, which is then $pid. */
export const untilImaged = (unit: string): string => `pid=$(systemctl show -P MainPID ${unit}); until grep -q '^State:.t' /proc/$pid/status; do :; done`;

const FROZEN = 'grep -qs 1 /sys/fs/cgroup/system.slice/*/cgroup.freeze';

/** Waits until no task is stopped, and no unit frozen, and says how long that took. */
export const UNTIL_RUNNING = `since=$EPOCHREALTIME; while grep -qs "^State:.[Tt]" /proc/[0-9]*/status || ${FROZEN}; do sleep 0.1; done; echo "stopped for $(( (\${EPOCHREALTIME/./} - \${since/./}) / 1000 )) ms"`;

/**
 * Runs an upgrade, and when it says a line, does something as root in the guest's bash, where $segue is its process.
 * Ends when also the guard has ended. `onLine` hears every line outside.
 */
export async function attempt(guest: Guest, moment: string, deed: string, onLine?: (line: string) => void): Promise<Attempt> {
  const script = `
    exec 3< <(exec env --default-signal segue upgrade --to newest --yes 2>&1)
    segue=$!
    while IFS= read -r line <&3; do
      printf '%s\\n' "$line"
      case $line in *"$1"*) eval "$2" ;; esac
    done
    wait "$segue"
    code=$?
    segue status --wait >/dev/null
    exit "$code"
  `;
  const result = await guest.exec(['bash', '-c', script, 'bash', moment, deed], { reject: false, timeoutMs: COMMAND_MS, ...(onLine === undefined ? {} : { onLine }) });
  const stopped = /^stopped for (\d+) ms$/m.exec(result.stdout)?.[1];
  return { ...result, stoppedMs: stopped === undefined ? undefined : Number(stopped) };
}
