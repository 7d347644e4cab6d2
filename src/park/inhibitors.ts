import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { failed, ok, type Result } from '../failure/result.ts';
import { inhibitors } from '../tools/logind.ts';
import { controlGroupOf } from '../tools/systemd-run.ts';

const POLL_MILLISECONDS = 500;

function groupOf(pid: number): string {
  try {
    return controlGroupOf(readFileSync(`/proc/${pid.toString()}/cgroup`, 'utf8'));
  } catch {
    return ''; // it has ended
  }
}

/**
 * Waits until nobody forbids a shutdown (systemd-inhibit(1)), as apt does while it installs packages: for all that is not carried the
 * jump is one. Those of cgroups that are stopped cleanly before it may forbid what they like.
 */
export async function awaitInhibitors(stopped: readonly string[], seconds: number): Promise<Result<undefined>> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const listed = await inhibitors();
    if (!listed.ok) return listed;
    const found = listed.value.find(({ what, mode, pid }) => what.includes('shutdown') && mode === 'block' && !stopped.includes(groupOf(pid)));
    if (found === undefined) return ok(undefined);
    if (performance.now() > end) return failed({ reason: 'shutdown-inhibited', who: found.who, why: found.why, pid: found.pid });
    await sleep(POLL_MILLISECONDS);
  }
}
