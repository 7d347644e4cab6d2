import { spawn, spawnSync, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import { END_REPAIR } from '../../../src/park/end-repair.ts';

/** A server with more connections than it may have files open twice over, and a client of its own; like after a dump. */
const SERVER = String.raw`
use strict;
use Socket;
$| = 1;
my ($reuse, $count) = @ARGV;
sub connected {
  my ($to) = @_;
  socket(my $socket, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
  connect($socket, $to) or die "connect: $!";
  return $socket;
}
socket(my $listener, PF_INET, SOCK_STREAM, 0) or die;
setsockopt($listener, SOL_SOCKET, SO_REUSEADDR, pack("i", $reuse));
bind($listener, pack_sockaddr_in(0, INADDR_LOOPBACK)) && listen($listener, 5) or die "listen: $!";
my (@servers, @clients);
for (1 .. $count) {
  push @clients, connected(getsockname($listener));
  accept(my $server, $listener) or die;
  push @servers, $server;
}
for (@servers, @clients) { setsockopt($_, 6, 19, pack("i", 1)) or (print("refused: $!\n"), exit) }
print "ready\n";
<STDIN>;
my %seen;
for ([listener => $listener], (map { [server => $_] } @servers), (map { [client => $_] } @clients)) {
  my ($name, $socket) = @$_;
  my ($repair, $reuse) = map { unpack("i", getsockopt($socket, $$_[0], $$_[1])) } [6, 19], [SOL_SOCKET, SO_REUSEADDR];
  $seen{"$name repair=$repair reuse=$reuse"}++;
}
print "$_\n" for sort keys %seen;
syswrite($clients[0], "x");
sysread($servers[0], my $got, 1);
print "got $got\n";
`;

let server: ChildProcessByStdio<Writable, Readable, null> | undefined;
afterEach(() => server?.kill('SIGKILL'));

// Repair mode needs CAP_NET_ADMIN, which root in a container may not have.
const asRoot = test.runIf(process.getuid?.() === 0);

async function afterwards(reuse: 0 | 1, count: number): Promise<string[]> {
  server = spawn('perl', ['-e', SERVER, reuse.toString(), count.toString()], { stdio: ['pipe', 'pipe', 'inherit'] });
  const said = createInterface({ input: server.stdout });
  const lines: string[] = [];
  said.on('line', (line) => lines.push(line));
  const [first] = (await once(said, 'line')) as [string];
  if (first !== 'ready') return [first];
  const repaired = spawnSync('sh', ['-c', 'ulimit -n 64 && exec perl -e "$0" "$@"', END_REPAIR, (server.pid ?? 0).toString(), '4194303'], { encoding: 'utf8' });
  expect({ status: repaired.status, stderr: repaired.stderr }).toEqual({ status: 0, stderr: '' });
  server.stdin.end();
  await once(said, 'close');
  return lines.slice(1);
}

asRoot('connections that CRIU has left in repair mode work again, and the port can be bound again as before', async ({ skip }) => {
  const lines = await afterwards(1, 100);
  if (lines[0]?.startsWith('refused') === true) skip('this machine allows no repair mode');
  expect(lines).toEqual(['client repair=0 reuse=0', 'listener repair=0 reuse=1', 'server repair=0 reuse=1', 'got x']);
});

asRoot('a server that did not ask for its port to be reusable does not get it', async ({ skip }) => {
  const lines = await afterwards(0, 1);
  if (lines[0]?.startsWith('refused') === true) skip('this machine allows no repair mode');
  expect(lines).toEqual(['client repair=0 reuse=0', 'listener repair=0 reuse=0', 'server repair=0 reuse=0', 'got x']);
});
