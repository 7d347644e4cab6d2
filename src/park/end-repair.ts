/**
 * CRIU leaves the connections of tasks that it leaves stopped in repair mode (TCP_REPAIR of tcp(7)): a program that uses
 * one gets an error. And whoever takes a connection out of it, also CRIU after a dump that failed, loses its
 * SO_REUSEADDR (tcp_setsockopt() in Linux): the program could not be restarted for as long as old connections linger,
 * as its port were in use. An accepted connection has that option from the socket that listens on its port.
 *
 * Node cannot reach another process's sockets; perl is on every Debian, and takes a copy of each with pidfd_getfd(2),
 * one at a time: a server may have more of them than a process may open. Its arguments are process ids.
 */
export const END_REPAIR = String.raw`
use strict;
use constant { PIDFD_OPEN => 434, PIDFD_GETFD => 438, IPPROTO_TCP => 6, TCP_REPAIR => 19, SOL_SOCKET => 1, SO_REUSEADDR => 2, SO_ACCEPTCONN => 30 };

sub option {
  my ($socket, $level, $name) = @_;
  my $value = getsockopt($socket, $level, $name);
  return defined $value ? unpack("i", $value) : undef;
}

sub each_connection {
  my ($visit) = @_;
  my %seen;
  for my $pid (map { $_ + 0 } @ARGV) {
    my $number = syscall(PIDFD_OPEN, $pid, 0);
    next if $number < 0;
    open(my $process, "<&=", $number) or next;
    my $network = readlink("/proc/$pid/ns/net");
    for my $link (glob "/proc/$pid/fd/*") {
      my $file = readlink($link) // next;
      next if $file !~ /^socket:/ or $seen{$file}++;
      my ($fd) = $link =~ /(\d+)$/;
      my $copy = syscall(PIDFD_GETFD, $number, $fd + 0, 0);
      next if $copy < 0;
      open(my $socket, "+<&=", $copy) or next;
      my $repair = option($socket, IPPROTO_TCP, TCP_REPAIR) // next;
      $visit->($socket, $repair, $network . unpack("x2 n", getsockname($socket)));
    }
  }
}

my %reusable;
each_connection(sub {
  my ($socket, undef, $port) = @_;
  $reusable{$port} = 1 if option($socket, SOL_SOCKET, SO_ACCEPTCONN) and option($socket, SOL_SOCKET, SO_REUSEADDR);
});
each_connection(sub {
  my ($socket, $repair, $port) = @_;
  setsockopt($socket, IPPROTO_TCP, TCP_REPAIR, pack("i", 0)) if $repair == 1;
  setsockopt($socket, SOL_SOCKET, SO_REUSEADDR, pack("i", 1)) if $reusable{$port};
});
`;
