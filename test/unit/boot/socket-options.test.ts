import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { isRoot } from './private-machine.ts';

const SCRIPT = join(import.meta.dirname, '../../../boot/socket-options');

/** A process with five sockets; `own` sets what CRIU does not image of them. */
const holder = (own: string): string => String.raw`
use Socket;
socket(my $datagram, AF_INET, SOCK_DGRAM, 0);
socket(my $listener, AF_INET, SOCK_STREAM, 0);
bind $listener, sockaddr_in(0, INADDR_LOOPBACK) and listen $listener, 5 or die;
socket(my $six, AF_INET6, SOCK_DGRAM, 0);
socket(my $other, AF_INET6, SOCK_DGRAM, 0);
socket(my $caller, AF_INET, SOCK_STREAM, 0);
connect $caller, getsockname $listener and accept my $accepted, $listener or die;
socket(my $unix, AF_UNIX, SOCK_STREAM, 0);
${own}
$| = 1;
print "ready\n";
sleep 1000;
`;
const OWN = String.raw`
# IP_MULTICAST_TTL, IP_MTU_DISCOVER, IP_ADD_MEMBERSHIP; TCP_USER_TIMEOUT, TCP_CONGESTION; IPV6_MULTICAST_HOPS, _IF, IPV6_JOIN_GROUP
setsockopt $datagram, 0, 33, pack("i", 9) and setsockopt $datagram, 0, 10, pack("i", 5) and setsockopt $datagram, 0, 35, inet_aton("224.0.0.18") . inet_aton("127.0.0.1") or die "$!";
setsockopt $listener, 6, 18, pack("i", 12345) and setsockopt $listener, 6, 13, "reno" or die "$!";
setsockopt $six, 41, 18, pack("i", 255) and setsockopt $six, 41, 17, pack("i", 1) and setsockopt $six, 41, 20, Socket::inet_pton(AF_INET6, "ff02::18") . pack("I", 1) or die "$!";
`;

async function hold(own: string): Promise<Disposable & { readonly pid: number }> {
  const child = spawn('perl', ['-e', holder(own)], { stdio: ['ignore', 'pipe', 'inherit'] });
  expect(await once(createInterface({ input: child.stdout }), 'line')).toEqual(['ready']);
  return { pid: child.pid ?? 0, [Symbol.dispose]() { child.kill('SIGKILL'); } };
}

async function run(args: readonly string[], input = ''): Promise<{ stdout: string; stderr: string; exitCode: number | null }> {
  const child = spawn('perl', [SCRIPT, ...args], { stdio: 'pipe' });
  child.stdin.end(input);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => { stdout += data.toString(); });
  child.stderr.on('data', (data: Buffer) => { stderr += data.toString(); });
  const [exitCode] = (await once(child, 'close')) as [number | null];
  return { stdout, stderr, exitCode };
}
const read = async (pid: number): Promise<string> => (await run(['read', pid.toString()])).stdout;

describe.runIf(isRoot)('options of sockets', () => {
  test('what is not as in a new socket is read, and set in another process', async () => {
    using one = await hold(OWN);
    using other = await hold('');
    const options = await read(one.pid);
    expect(options.split('\n').filter(Boolean).map((line) => line.split(' ').slice(2, 5).join(' '))).toEqual([
      'set 0 10', 'set 0 33', 'join 0 lo', 'set 6 13', 'set 6 18', 'set 41 18', 'via lo', 'join 41 lo',
    ]);
    expect(await read(other.pid)).toBe('');
    const moved = options.replaceAll(new RegExp(`^${one.pid} `, 'gm'), `${other.pid} `);
    expect(await run(['set'], moved)).toEqual({ stdout: '', stderr: '', exitCode: 0 });
    expect(await read(other.pid)).toBe(moved);
    // Whose kernel has done it already is as it should be.
    expect((await run(['set'], moved)).exitCode).toBe(0);
  });

  test('what cannot be set is said, and the rest is set; of who is gone nothing is', async () => {
    using other = await hold('');
    const { stderr, exitCode } = await run(['set'], `4194303 3 set 0 33 09000000\n${other.pid} 4 set 6 13 ${Buffer.from('no_such').toString('hex')}\n${other.pid} 3 set 0 33 09000000\n`);
    expect({ stderr, exitCode }).toEqual({ stderr: expect.stringMatching(/^socket-options: .*: \d+ 4 set 6 13/) as string, exitCode: 1 });
    expect(await read(other.pid)).toBe(`${other.pid} 3 set 0 33 09000000\n`);
  });
});
