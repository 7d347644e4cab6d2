import { cgroupThreads } from '../survey/task.ts';
import { run } from '../tools/command.ts';

/**
 * A thread that is stopped in poll(2), nanosleep(2) or futex(2) with a time limit goes on in it as if nothing had been
 * (ERESTART_RESTARTBLOCK of include/linux/errno.h), but not after CRIU: the kernel has forgotten how, and the call ends with EINTR
 * (compel_get_task_regs() in compel/arch/x86/src/lib/infect.c, and rt_sigreturn(2), by which CRIU's code leaves a task). A program
 * none of whose signals has a handler need not expect that, and the worker of Varnish ends itself over it. Others end with EINTR
 * by themselves whenever a thread is stopped (signal(7), "Interruption of system calls ... by stop signals").
 *
 * So the thread, which stands still, is told to begin the call anew (ERESTARTNOHAND): CRIU knows that, and keeps it, in the image
 * as well. A time limit then counts from the beginning, if it is not a point in time. perl is on every Debian; its arguments
 * are thread ids. One that does not stop within a second is left as it is. Numbers: arch/x86/entry/syscalls/syscall_64.tbl; offsets:
 * struct user_regs_struct.
 */
export const BEGIN_ANEW = String.raw`
use strict;
use Time::HiRes qw(sleep time);
use constant { PTRACE => 101, PEEKUSER => 3, POKEUSER => 6, DETACH => 17, SEIZE => 0x4206, INTERRUPT => 0x4207, WALL => 0x40000000, WNOHANG => 1, AX => 80, ORIG_AX => 120 };
use constant { EINTR => -4, ERESTARTNOHAND => -514, ERESTART_RESTARTBLOCK => -516 };
# semop, rt_sigtimedwait, semtimedop, epoll_wait, epoll_pwait, epoll_pwait2
my %ends_when_stopped = map { $_ => 1 } 65, 128, 220, 232, 281, 441;
my $end = time() + 1;

sub peek {
  my ($thread, $offset) = @_;
  my $word = "\0" x 8;
  return syscall(PTRACE, PEEKUSER, $thread, $offset, $word) == 0 ? unpack("l", $word) : 0;
}

sub stops {
  my ($thread) = @_;
  my $pid;
  sleep(0.001) while ($pid = waitpid($thread, WALL | WNOHANG)) == 0 and time() < $end;
  return $pid == $thread;
}

for my $thread (map { $_ + 0 } @ARGV) {
  next if syscall(PTRACE, SEIZE, $thread, 0, 0) != 0;
  if (syscall(PTRACE, INTERRUPT, $thread, 0, 0) == 0 && stops($thread)) {
    my ($result, $call) = (peek($thread, AX), peek($thread, ORIG_AX));
    my $broken_off = $result == ERESTART_RESTARTBLOCK || $result == EINTR && $ends_when_stopped{$call};
    syscall(PTRACE, POKEUSER, $thread, AX, ERESTARTNOHAND) if $call >= 0 && $broken_off;
  }
  syscall(PTRACE, DETACH, $thread, 0, 0);
}
`;

/** Has the threads of a cgroup that stands still begin anew, when they go on, what CRIU would break off. */
export async function makeRestartable(controlGroup: string): Promise<void> {
  if (process.arch !== 'x64') return;
  const threads = await cgroupThreads(controlGroup);
  if (threads.length > 0) await run(['perl', '-e', BEGIN_ANEW, ...threads.map(String)]);
}
