import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { handoverLockScript, holdScript, listeningPorts, lockScript, parseLockTables, parseRuleset, type LockedWorkload } from '../../../src/tools/nft.ts';
import { parseSockets } from '../../../src/tools/proc-net.ts';
import { fixture } from '../../fixtures/fixture.ts';
import { inetSocket, listening } from '../survey/builders.ts';
import { valueOf } from '../value-of.ts';

const SOCKETS = [
  listening(443, { localAddress: '*' }),
  listening(80),
  listening(80, { localAddress: '::' }),
  inetSocket(),
  inetSocket({ localAddress: '2001:db8::1', peerAddress: '2001:db8::2', peerPort: 40_001 }),
  inetSocket({ state: 'CLOSE-WAIT', localPort: 50_000, peerPort: 5432 }),
  inetSocket({ protocol: 'udp', state: 'UNCONN', localPort: 53, peerPort: 0 }),
];
const WORKLOADS: readonly LockedWorkload[] = [
  { unit: 'a.service', controlGroup: '/system.slice/a.service', sockets: SOCKETS },
  { unit: 'b@1.service', controlGroup: '/system.slice/system-b.slice/b@1.service', sockets: [] },
];

const redis = valueOf(parseSockets('/proc/net/tcp', 'tcp', fixture('proc-net/tcp.txt'))).filter(({ localPort }) => localPort === 6379);

/** Loads scripts where there is nothing else: a network of its own, and a cgroup tree that has the workloads' groups. */
function load(...scripts: string[]): { status: number | null; stderr: string; rules: string } {
  const commands = [
    'mount -t cgroup2 none /sys/fs/cgroup || exit 99',
    'cd /sys/fs/cgroup && mkdir -p system.slice/a.service system.slice/system-b.slice/b@1.service || exit 98',
    'trap "rmdir system.slice/a.service system.slice/system-b.slice/b@1.service system.slice/system-b.slice system.slice 2>/dev/null" EXIT',
    ...scripts.map((script) => `nft -f - <<'EOF' || exit 1\n${script}EOF`),
    'nft list ruleset',
  ];
  const { status, stderr, stdout } = spawnSync('unshare', ['--mount', '--net', 'sh', '-c', commands.join('\n')], { encoding: 'utf8' });
  return { status, stderr, rules: stdout };
}

const asRoot = test.skipIf(process.getuid?.() !== 0);

test('the ports that are listened on are told once each, in order', () => {
  expect(listeningPorts(SOCKETS)).toEqual([80, 443]);
  expect(listeningPorts([])).toEqual([]);
});

test('the hold drops first packets only', () => {
  const script = holdScript(20, WORKLOADS);
  expect(script).toMatchSnapshot();
  for (const rule of script.split('\n').filter((line) => line.includes(' drop'))) expect(rule).toContain('tcp flags & (syn | ack) == syn');
});

test('the lock drops what arrives for listeners, UDP sockets, connections and cgroups, and what leaves by TCP', () => {
  expect(lockScript(20, WORKLOADS)).toMatchSnapshot();
});

test('the lock of the new kernel names no cgroup, as none exists yet', () => {
  const script = handoverLockScript('CRIU-0', SOCKETS);
  expect(script).toMatchSnapshot();
  expect(script).not.toContain('cgroup');
});

test("every script lets CRIU's own packets through before it drops anything", () => {
  for (const script of [holdScript(20, WORKLOADS), lockScript(20, WORKLOADS), handoverLockScript('CRIU-0', SOCKETS)]) {
    for (const chain of script.split('chain ').slice(1)) {
      const rules = chain.split('\n').slice(2);
      expect(rules[0]?.trim()).toBe('meta mark 0xc114 accept');
    }
  }
});

test('workloads without sockets have scripts without empty sets', () => {
  for (const script of [holdScript(20, []), lockScript(20, []), handoverLockScript('CRIU-0', [])]) expect(script).not.toMatch(/\{\s*\}\s*counter/);
});

asRoot('nft takes the hold, then the lock in its place', () => {
  const { status, stderr, rules } = load(holdScript(20, WORKLOADS), lockScript(20, WORKLOADS));

  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(rules.match(/^table inet segue-20 /gm)).toHaveLength(1);
  expect(rules).not.toContain('== syn');
});

asRoot('nft takes the locks of the new kernel, of crafted and of real sockets, and of none', () => {
  const { status, stderr, rules } = load(handoverLockScript('CRIU-0', SOCKETS), handoverLockScript('CRIU-1', redis), handoverLockScript('CRIU-2', []));

  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(rules).toContain('127.0.0.1 . 51432 . 127.0.0.1 . 6379');
  expect(rules.match(/^table inet CRIU-\d/gm)).toHaveLength(3);
});

asRoot('the hold and the lock of no workload are scripts that nft takes', () => {
  expect(load(holdScript(20, []), lockScript(20, []))).toMatchObject({ status: 0, stderr: '' });
});

asRoot('a connection to a locked port waits, and one to another port goes on', () => {
  const listener = (port: number): string => `const s = require('node:net').createServer((c) => c.end()).listen(${port}, '127.0.0.1')`;
  const connect = (port: number): string =>
    `await new Promise((done) => { const c = require('node:net').connect(${port}, '127.0.0.1'); const end = (word) => { console.log(${port}, word); c.destroy(); done(); }; c.on('connect', () => end('connected')); c.on('error', (e) => end(e.code)); setTimeout(() => end('waits'), 700).unref(); })`;
  const program = `(async () => { { ${listener(80)} } { ${listener(81)} } ${connect(80)}; ${connect(81)}; process.exit(); })()`;
  const script = `ip link set lo up && nft -f - <<'EOF' && exec "$0" -e "$1"\n${handoverLockScript('CRIU-0', [listening(80)])}EOF`;
  const { stdout } = spawnSync('unshare', ['--net', 'sh', '-c', script, process.execPath, program], { encoding: 'utf8' });

  expect(stdout).toBe('80 waits\n81 connected\n');
});

asRoot('under a lock nothing leaves an open connection, but that one is closed its peer still hears', () => {
  const program = `
    const net = require('node:net');
    const locked = () => require('node:child_process').execFileSync('nft', ['-f', '-'], { input: process.argv[1] });
    const accepted = [];
    const server = net.createServer((connection) => { accepted.push(connection); if (accepted.length === 2) { locked(); accepted[0].write('news'); accepted[1].destroy(); } });
    server.listen(80, '127.0.0.1', () => {
      const open = net.connect(80, '127.0.0.1', () => {
        const closed = net.connect(80, '127.0.0.1');
        open.on('data', (data) => console.log('open', data.toString()));
        closed.on('end', () => { console.log('closed'); setTimeout(() => process.exit(), 500); });
        closed.resume();
      });
    });
    setTimeout(() => process.exit(1), 5000);`;
  const lock = lockScript(20, [{ unit: 'a.service', controlGroup: '/', sockets: [listening(80)] }]).replaceAll(/^.*cgroupv2.*\n/gm, '');
  const { stdout, status } = spawnSync('unshare', ['--net', 'sh', '-c', 'ip link set lo up && exec "$0" -e "$1" "$2"', process.execPath, program, lock], { encoding: 'utf8' });

  expect({ stdout, status }).toEqual({ stdout: 'closed\n', status: 0 });
});

test('of all rules the locks are left out, and so are tables with rules that only iptables reads', () => {
  const { nftables, compatible } = parseRuleset(fixture('nft/ruleset.txt'), fixture('nft/ruleset.stderr.txt'));
  expect(nftables.match(/^table .*/gm)).toEqual(['table inet mine {', 'table ip6 filter {', 'table ip plain {']);
  expect(nftables).toContain('iifname "eth0" tcp dport 9999 counter packets 0 bytes 0 drop');
  expect(compatible).toEqual(['iptables']);
});

test('only a line end begins a table', () => {
  const rules = 'table inet mine {\n\tcomment "a\u2028table inet CRIU-b {"\n}\n';
  expect(parseRuleset(rules, 'x\u2028# Warning: table inet mine is managed by iptables-nft, do not touch!\n').nftables).toBe(rules);
  expect(parseLockTables('table inet a\u2028table inet CRIU-b\ntable inet segue-20\n')).toEqual(['segue-20']);
});

test('a machine without rules has none to put back', () => {
  expect(parseRuleset('', '')).toEqual({ nftables: '', compatible: [] });
});
