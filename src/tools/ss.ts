import { ok, type Result } from '../failure/result.ts';
import { run, runOk } from './command.ts';

export interface InetSocket {
  readonly protocol: 'tcp' | 'udp';
  /** As `ss` names it: LISTEN, ESTAB, SYN-RECV, UNCONN, … */
  readonly state: string;
  readonly receiveQueue: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly peerAddress: string;
  readonly peerPort: number;
  /** 0 for a connection that no program has accepted yet. */
  readonly inode: number;
}

export interface UnixSocket {
  readonly type: string;
  readonly state: string;
  readonly path: string;
  readonly inode: number;
  /** 0 when there is none. */
  readonly peerInode: number;
  readonly receiveQueue: number;
}

function endpoint(text: string): [address: string, port: number] {
  const at = text.lastIndexOf(':');
  const address = text.slice(0, at).replace(/%.*$/, '').replace(/^\[|\]$/g, '').replace(/^::ffff:(?=\d+\.)/, '');
  return [address, Number(text.slice(at + 1)) || 0];
}

/** Parses `ss -Hn -tuae`. */
export function parseInet(text: string): InetSocket[] {
  return text.split('\n').flatMap((line) => {
    const match = /^(tcp|udp)\s+(\S+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S+)(.*)$/.exec(line.trim());
    if (match === null) return [];
    const [localAddress, localPort] = endpoint(match[5]!);
    const [peerAddress, peerPort] = endpoint(match[6]!);
    const inode = Number(/\bino:(\d+)/.exec(match[7]!)?.[1] ?? 0);
    return [{ protocol: match[1] as 'tcp' | 'udp', state: match[2]!, receiveQueue: Number(match[3]), localAddress, localPort, peerAddress, peerPort, inode }];
  });
}

/** Parses `ss -Hn -xa`: type, state, queues, local address and inode, peer address and inode. */
export function parseUnix(text: string): UnixSocket[] {
  return text.split('\n').flatMap((line) => {
    const match = /^(u_\w+)\s+(\S+)\s+(\d+)\s+(\d+)\s+(.*?)\s+(\d+)\s+(\S.*?)\s+(\d+)\s*$/.exec(line.trim());
    if (match === null) return [];
    return [{ type: match[1]!, state: match[2]!, receiveQueue: Number(match[3]), path: match[5] === '*' ? '' : match[5]!, inode: Number(match[6]), peerInode: Number(match[8]) }];
  });
}

/** The TCP and UDP sockets of a network namespace: segue's own, or that of `pid`. */
export async function inetSockets(pid?: number): Promise<Result<InetSocket[]>> {
  const shown = await runOk([...inside(pid), 'ss', '-Hn', '-tuae']);
  return shown.ok ? ok(parseInet(shown.value)) : shown;
}

export async function unixSockets(pid?: number): Promise<Result<UnixSocket[]>> {
  const shown = await runOk([...inside(pid), 'ss', '-Hn', '-xa']);
  return shown.ok ? ok(parseUnix(shown.value)) : shown;
}

/** Inodes of the sockets of kinds that CRIU cannot image: MPTCP, vsock, SCTP, TIPC, XDP. */
export async function foreignSockets(): Promise<Set<number>> {
  const { stdout } = await run(['ss', '-Hn', '-ae', '--mptcp', '--vsock', '--sctp', '--tipc', '--xdp']);
  return new Set([...stdout.matchAll(/\bino:(\d+)/g)].map((match) => Number(match[1])));
}

const inside = (pid: number | undefined): string[] => (pid === undefined ? [] : ['nsenter', '--target', pid.toString(), '--net', '--']);
