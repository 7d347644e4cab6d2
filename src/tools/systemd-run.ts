import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { failed, ok, type Result } from '../failure/result.ts';
import { runOk } from './command.ts';

const SCOPE_MILLISECONDS = 10_000;

/** The cgroup v2 path in the text of /proc/PID/cgroup. */
export const controlGroupOf = (text: string): string => /^0::(.*)$/m.exec(text)?.[1] ?? '';
/** That of this process. */
export const ownControlGroup = (): string => controlGroupOf(readFileSync('/proc/self/cgroup', 'utf8'));

/**
 * Moves this process into a scope of its own (StartTransientUnit, org.freedesktop.systemd1(5)), where whatever it starts
 * can be found; gives the scope's cgroup.
 */
export async function ownScope(name: string): Promise<Result<string>> {
  const manager = ['org.freedesktop.systemd1', '/org/freedesktop/systemd1', 'org.freedesktop.systemd1.Manager'];
  const properties = ['PIDs', 'au', '1', process.pid.toString(), 'CollectMode', 's', 'inactive-or-failed'];
  const start = (count: number, more: readonly string[]) => runOk(['busctl', '--quiet', 'call', ...manager, 'StartTransientUnit', 'ssa(sv)a(sa(sv))', name, 'fail', count.toString(), ...properties, ...more, '0']);
  // If the kernel kills one of them for memory, systemd is not to end the others: a criu among them may hold a task. Before version
  // 253 it does not, and does not know this.
  const once = await start(3, ['OOMPolicy', 's', 'continue']);
  const started = once.ok ? once : await start(2, []);
  if (!started.ok) return started;
  const end = performance.now() + SCOPE_MILLISECONDS;
  while (performance.now() < end) {
    const controlGroup = ownControlGroup();
    if (controlGroup.endsWith(`/${name}`)) return ok(controlGroup);
    await sleep(10);
  }
  return failed({ reason: 'step-failed', step: `move into ${name}`, error: 'systemd did not do it in time' });
}

/**
 * The command that runs another one as a service whose standard streams are the caller's own (systemd-run(1), `--pipe`);
 * the kernel kills it last when memory runs out.
 */
export const serviceCommand = (name: string, argv: readonly string[], properties: readonly string[] = []): string[] =>
  ['systemd-run', '--quiet', '--collect', '--pipe', `--unit=${name}`, ...['OOMScoreAdjust=-1000', ...properties].map((property) => `--property=${property}`), '--', ...argv];
