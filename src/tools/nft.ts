import { existsSync } from 'node:fs';
import { failed, ok, type Result } from '../failure/result.ts';
import { display, run, runOk } from './command.ts';
import type { InetSocket } from './proc-net.ts';

/** The mark of packets that CRIU sends and takes while everything else is dropped (SOCCR_MARK, soccr/soccr.h). */
const CRIU_MARK = '0xc114';

export interface LockedWorkload {
  readonly unit: string;
  readonly controlGroup: string;
  readonly sockets: readonly InetSocket[];
}

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];
const set = (values: readonly (string | number)[]): string => `{ ${values.join(', ')} }`;
const isV6 = (address: string): boolean => address.includes(':');

export const listeningPorts = (sockets: readonly InetSocket[]): number[] =>
  unique(sockets.filter((socket) => socket.protocol === 'tcp' && socket.state === 'LISTEN').map((socket) => socket.localPort)).sort((a, b) => a - b);

const udpPorts = (sockets: readonly InetSocket[]): number[] =>
  unique(sockets.filter((socket) => socket.protocol === 'udp' && socket.localPort > 0).map((socket) => socket.localPort)).sort((a, b) => a - b);

/**
 * Matches every packet of a socket of these workloads, also of one that was made a moment ago. A set for each depth in
 * the tree of cgroups: a packet asks once, and not hundreds of times.
 */
function ofControlGroups(workloads: readonly LockedWorkload[]): string[] {
  const levels = new Map<number, string[]>();
  for (const { controlGroup } of workloads) {
    const path = controlGroup.replace(/^\//, '');
    const level = path.split('/').length;
    levels.set(level, [...(levels.get(level) ?? []), `"${path}"`]);
  }
  return [...levels].map(([level, paths]) => `socket cgroupv2 level ${level.toString()} ${set(paths)}`);
}

/** The packet that asks for a connection. */
const FIRST_PACKET = 'tcp flags & (syn | ack) == syn';

/** Workloads of one priority have a table: what is locked already is not looked up and set again for each of the next. */
const tableOf = (priority: number): string => `segue-${priority.toString()}`;
const MISSING_DEVICES = 'segue-missing-devices';
/** Names of segue's tables, and of CRIU's. */
const LOCK = /^inet (segue-\d+|segue-missing-devices|CRIU-\S+)$/;

/** New connections to these workloads wait: their first packet is dropped and sent again later; all else goes on. */
export function holdScript(priority: number, workloads: readonly LockedWorkload[]): string {
  const ports = listeningPorts(workloads.flatMap(({ sockets }) => sockets));
  const rules = ports.length === 0 ? [] : [`tcp dport ${set(ports)} ${FIRST_PACKET} counter drop`];
  return table(tableOf(priority), [...rules, ...ofControlGroups(workloads).map((groups) => `${FIRST_PACKET} ${groups} counter drop`)], []);
}

/**
 * In the place of the hold: nothing reaches the sockets of these workloads any more, and nothing leaves their connections; what
 * their images say stays true. A datagram may leave, until its program is stopped: the program would be told that it may not
 * (sendto() fails with EPERM where netfilter drops it; TCP sends again, and tells nobody).
 */
export function lockScript(priority: number, workloads: readonly LockedWorkload[]): string {
  const sockets = workloads.flatMap((workload) => workload.sockets);
  const groups = ofControlGroups(workloads);
  return table(tableOf(priority), [...drops(sockets, 'input'), ...groups.map((group) => `${group} counter drop`)], [...drops(sockets, 'output', OWNED), ...groups.map((group) => `meta l4proto tcp ${group} ${OWNED}counter drop`)]);
}

/**
 * What a program has written before it closed a connection, and that it is closed, is the kernel's to deliver: no image
 * has it, so it may leave until the jump. Such a socket has no owner (for one without a file, `meta skuid` ends the rule:
 * net/netfilter/nft_meta.c), and takes nothing more in.
 */
const OWNED = 'meta skuid != 4294967295 ';

/** The same in the new kernel, where no socket exists yet; one table for each tree, deleted by CRIU as it restores. */
export function handoverLockScript(name: string, sockets: readonly InetSocket[]): string {
  return table(name, drops(sockets, 'input'), drops(sockets, 'output'));
}

/** As long as the device of an address is missing, nothing leaves with that address: it would be in the clear where the device is a tunnel. */
export function missingDevicesScript(missing: readonly { readonly device: string; readonly addresses: readonly string[] }[]): string {
  return table(MISSING_DEVICES, [], missing.flatMap(({ device, addresses }) =>
    addresses.map((address) => `${isV6(address) ? 'ip6' : 'ip'} saddr ${address} oifname != { "lo", "${device}" } counter drop`)), false);
}

/**
 * Rules that stop what goes to (or comes from) listening ports and each connection, and what goes to UDP ports. What arrives for a
 * connection is answered with "host unreachable": by RFC 6069 the peer then does not double the time until it sends
 * again, and is heard soon after the workload runs again; it may not give up for that (RFC 1122, 4.2.3.9). A first
 * packet is dropped without a word, as connect() would fail otherwise.
 */
function drops(sockets: readonly InetSocket[], direction: 'input' | 'output', owned = ''): string[] {
  const here = direction === 'input' ? 'dport' : 'sport';
  const stop = direction === 'input' ? 'counter reject with icmpx host-unreachable' : `${owned}counter drop`;
  const tcp = listeningPorts(sockets);
  const udp = udpPorts(sockets);
  const rules = [
    ...(tcp.length > 0 ? [`tcp ${here} ${set(tcp)} ${FIRST_PACKET} ${owned}counter drop`, `tcp ${here} ${set(tcp)} ${stop}`] : []),
    ...(direction === 'input' && udp.length > 0 ? [`udp dport ${set(udp)} counter drop`] : []),
  ];
  for (const family of ['ip', 'ip6'] as const) {
    const connections = sockets.filter((socket) => socket.protocol === 'tcp' && socket.state !== 'LISTEN' && socket.peerPort > 0 && isV6(socket.localAddress) === (family === 'ip6'));
    const tuples = connections.map((socket) => {
      const local = `${socket.localAddress} . ${socket.localPort.toString()}`;
      const peer = `${socket.peerAddress} . ${socket.peerPort.toString()}`;
      return direction === 'input' ? `${peer} . ${local}` : `${local} . ${peer}`;
    });
    if (tuples.length > 0) rules.push(`${family} saddr . tcp sport . ${family} daddr . tcp dport ${set(unique(tuples))} ${stop}`);
  }
  return rules;
}

/** A table that takes the place of one of the same name in a single transaction (nft(8), "Atomic"). */
function table(name: string, input: readonly string[], output: readonly string[], letsCriu = true): string {
  const chain = (hook: string, rules: readonly string[]): string[] => [
    `  chain ${hook} {`, `    type filter hook ${hook} priority filter - 10; policy accept;`, ...(letsCriu ? [`    meta mark ${CRIU_MARK} accept`] : []), ...rules.map((rule) => `    ${rule}`), '  }',
  ];
  return [`table inet ${name}`, `delete table inet ${name}`, `table inet ${name} {`, ...chain('input', input), ...chain('output', output), '}', ''].join('\n');
}

/** The command, run in the network of a process, or in this one's own. */
const inNetworkOf = (pid: number | undefined, argv: readonly string[]): string[] => (pid === undefined ? [...argv] : ['nsenter', '--target', pid.toString(), '--net', '--', ...argv]);

/** Names of the tables of family inet that are locks: segue's and CRIU's. */
export async function lockTables(pid?: number): Promise<Result<string[]>> {
  const listed = await runOk(inNetworkOf(pid, ['nft', 'list', 'tables', 'inet']));
  return listed.ok ? ok(parseLockTables(listed.value)) : listed;
}

export const parseLockTables = (text: string): string[] => text.split('\n').flatMap((line) => (line.startsWith('table ') ? LOCK.exec(line.slice('table '.length))?.[1] ?? [] : []));

/** Opens every lock in a single transaction; CRIU may delete one of them at the same time, so each is made first. */
export async function deleteLockTables(pid?: number): Promise<Result<undefined>> {
  const tables = await lockTables(pid);
  if (!tables.ok) return tables;
  if (tables.value.length === 0) return ok(undefined);
  const deleted = await runOk(inNetworkOf(pid, ['nft', '-f', '-']), { input: tables.value.map((name) => `table inet ${name}\ndelete table inet ${name}\n`).join('') });
  return deleted.ok ? ok(undefined) : deleted;
}

export interface Ruleset {
  /** For `nft -f`; without locks, and without the tables of others. */
  readonly nftables: string;
  /** The programs whose rules are in tables that nft(8) prints, but cannot read again. */
  readonly compatible: readonly ('iptables' | 'ip6tables')[];
}

/** Takes what `nft list ruleset` prints apart: on the standard error it warns of tables with rules of iptables-nft that it cannot write. */
export function parseRuleset(stdout: string, stderr: string): Ruleset {
  const foreign = new Set(stderr.split('\n').flatMap((line) => /^# Warning: table (\S+ \S+) is managed by iptables-nft/.exec(line)?.[1] ?? []));
  // `^` with the flag m is also after U+2028, in the midst of what nft calls a line.
  const own = stdout.split(/(?<=^|\n)(?=table )/).filter((table) => {
    const [, name = ''] = /^table (\S+ \S+)/.exec(table) ?? [];
    return !foreign.has(name) && !LOCK.test(name);
  });
  const manages = (family: string): boolean => [...foreign].some((name) => name.startsWith(`${family} `));
  return { nftables: own.join(''), compatible: [...(manages('ip') ? ['iptables' as const] : []), ...(manages('ip6') ? ['ip6tables' as const] : [])] };
}

export async function ruleset(): Promise<Result<Ruleset>> {
  const argv = ['nft', 'list', 'ruleset'];
  const { stdout, stderr, exitCode } = await run(argv);
  return exitCode === 0 ? ok(parseRuleset(stdout, stderr)) : failed({ reason: 'command-failed', command: display(argv), exitCode, output: stderr });
}

/** What `iptables-restore` (`ip6tables-restore`) takes. */
export const saveRules = (program: 'iptables' | 'ip6tables'): Promise<Result<string>> => runOk([`${program}-save`, '--counters']);

/** What `ipset restore` takes; '' where there is none, or no ipset(8). */
export async function ipsets(): Promise<Result<string>> {
  if (!existsSync('/sys/module/ip_set')) return ok('');
  const { stdout, stderr, exitCode } = await run(['ipset', 'save']);
  if (exitCode === 127) return ok('');
  return exitCode === 0 ? ok(stdout) : failed({ reason: 'command-failed', command: 'ipset save', exitCode, output: stderr });
}
