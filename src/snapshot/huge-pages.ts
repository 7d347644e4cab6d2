import { run } from '../tools/command.ts';

/**
 * Of a huge page the kernel knows only as a whole whether it was written (`AnonHugePages` of proc_pid_smaps(5);
 * Documentation/admin-guide/mm/transhuge.rst), so that a few bytes here and there count as megabytes. One of which a part is said to
 * be cold is split by it (process_madvise(2); madvise_cold_or_pageout_pte_range() in mm/madvise.c), and in time made again
 * (khugepaged): nothing but speed depends on it. perl is on every Debian; its arguments are process ids, and it prints how many bytes
 * were split. Numbers: asm-generic/unistd.h, the same everywhere; asm-generic/mman-common.h; UIO_MAXIOV of include/uapi/linux/uio.h.
 */
const SPLIT = String.raw`
use strict;
use POSIX ();
use constant { PIDFD_OPEN => 434, PROCESS_MADVISE => 440, COLD => 20, AT_ONCE => 1024, PAGE => POSIX::sysconf(POSIX::_SC_PAGESIZE) };

# Areas with huge pages, each with its bounds and how much they are, in bytes.
sub areas {
  my ($pid) = @_;
  open(my $smaps, "<", "/proc/$pid/smaps") or return;
  my (@bounds, @areas);
  while (<$smaps>) {
    @bounds = (hex($1), hex($2)) if /^([0-9a-f]+)-([0-9a-f]+) /;
    push(@areas, [@bounds, $1 << 10]) if /^AnonHugePages: +([1-9]\d*) kB/;
  }
  return @areas;
}

sub huge {
  my $sum = 0;
  $sum += $_->[2] for @_;
  return $sum;
}

open(my $file, "<", "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size") or do { print(0); exit };
my $size = <$file> + 0;
my $split = 0;
for my $pid (@ARGV) {
  my @areas = areas($pid) or next;
  my $process = syscall(PIDFD_OPEN, $pid + 0, 0);
  for (@areas) {
    my ($begin, $end) = @$_;
    my @pages = map { $_ * $size } POSIX::ceil($begin / $size) .. POSIX::floor($end / $size) - 1;
    while (my @some = splice(@pages, 0, AT_ONCE)) {
      my $parts = pack("J*", map { $_, PAGE } @some);
      syscall(PROCESS_MADVISE, $process, $parts, scalar(@some), COLD, 0);
    }
  }
  $split += huge(@areas) - huge(areas($pid));
  POSIX::close($process);
}
print($split);
`;

/** Splits the huge pages of these processes; gives how many bytes are in small ones since. */
export async function splitHugePages(pids: readonly number[]): Promise<number> {
  const { exitCode, stdout } = await run(['perl', '-e', SPLIT, ...pids.map(String)]);
  return exitCode === 0 ? Number(stdout) : 0;
}
