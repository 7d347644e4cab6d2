import { existsSync, promises as fs, readFileSync } from 'node:fs';
import { failed, ok, type Result } from '../failure/result.ts';
import type { Action } from '../model/step.ts';
import { cgroupProcesses, parseStat } from '../survey/task.ts';
import { leaveUserNamespace } from '../tools/criu-images.ts';
import { logErrors } from '../tools/criu.ts';
import { run } from '../tools/command.ts';

type Dump = Extract<Action, { kind: 'dump' }>;
type Resume = Extract<Action, { kind: 'resume' }>;

function stat(pid: number): ReturnType<typeof parseStat> | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid.toString()}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Images a tree; its tasks are stopped afterwards. On failure CRIU itself lets them go on. */
export async function dump(action: Dump): Promise<Result<undefined>> {
  if (stat(action.pid)?.startTime !== action.startTime) {
    return failed({ reason: 'workload-changed', unit: action.unit, what: `its process ${action.pid.toString()} has ended or is another one now` });
  }
  const { exitCode } = await run(action.argv);
  const log = `${action.images}/dump.log`;
  if (exitCode !== 0) {
    const errors = await logErrors(log);
    const printed = (await fs.readFile(`${action.images}/dump.out`, 'utf8').catch(() => '')).trim();
    return failed({ reason: 'dump-failed', unit: action.unit, errors: errors.length > 0 ? errors : [printed || `criu ended with exit code ${exitCode.toString()}`], log });
  }
  if (action.privateUsers) await leaveUserNamespace(action.images);
  return ok(undefined);
}

/**
 * CRIU leaves the connections of tasks that it leaves stopped in repair mode (TCP_REPAIR): a program that wrote to one
 * would get an error. Node cannot reach another process's sockets; perl is on every Debian, and takes a copy of each with
 * pidfd_getfd(2).
 */
const END_REPAIR = `
use constant { PIDFD_OPEN => 434, PIDFD_GETFD => 438, IPPROTO_TCP => 6, TCP_REPAIR => 19 };
for my $pid (map { $_ + 0 } @ARGV) {
  my $process = syscall(PIDFD_OPEN, $pid, 0);
  next if $process < 0;
  for my $link (glob "/proc/$pid/fd/*") {
    next unless readlink($link) =~ /^socket:/;
    my ($number) = $link =~ /(\\d+)$/;
    my $copy = syscall(PIDFD_GETFD, $process, $number + 0, 0);
    next if $copy < 0 or !open(my $socket, "+<&=", $copy);
    my $repair = getsockopt($socket, IPPROTO_TCP, TCP_REPAIR);
    setsockopt($socket, IPPROTO_TCP, TCP_REPAIR, pack("i", 0)) if defined $repair and unpack("i", $repair) == 1;
  }
}`;

/** Lets the tasks of a cgroup go on, and removes what CRIU left beside their files for a restore (`link_remap.N`). */
export async function resume({ controlGroup, keepStopped, images }: Resume): Promise<void> {
  const log = await fs.readFile(`${images}/dump.log`, 'utf8').catch(() => '');
  const { pids } = await cgroupProcesses(controlGroup);
  const root = pids[0];
  for (const [path] of log.matchAll(/\/[^\s]*\/link_remap\.\d+/g)) {
    if (root !== undefined && existsSync(`/proc/${root.toString()}/root${path}`)) await fs.rm(`/proc/${root.toString()}/root${path}`, { force: true });
  }
  await run(['perl', '-e', END_REPAIR, ...pids.map(String)]);
  for (const pid of pids) {
    if (keepStopped.includes(pid) || stat(pid)?.state !== 'T') continue;
    try {
      process.kill(pid, 'SIGCONT');
    } catch {
      // It has ended meanwhile: nothing to let go on.
    }
  }
}
