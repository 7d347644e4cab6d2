import { readFileSync } from 'node:fs';
import { isIP, SocketAddress } from 'node:net';
import { endianness } from 'node:os';
import { ok, type Result } from '../failure/result.ts';
import { unreadable } from './command.ts';

export interface InetSocket {
  readonly protocol: 'tcp' | 'udp';
  /** As ss(8) names it. */
  readonly state: string;
  /** Bytes; of one that listens, connections that wait to be accepted. */
  readonly receiveQueue: number;
  /** As it is in packets: that of an IPv4 connection of an IPv6 socket is one of IPv4. */
  readonly localAddress: string;
  readonly localPort: number;
  readonly peerAddress: string;
  /** 0 for none. */
  readonly peerPort: number;
  /** 0 for a connection that no program has accepted yet, or that it has closed. */
  readonly inode: number;
}

/** By their numbers (include/net/tcp_states.h). */
const STATES = [undefined, 'ESTAB', 'SYN-SENT', 'SYN-RECV', 'FIN-WAIT-1', 'FIN-WAIT-2', 'TIME-WAIT', 'UNCONN', 'CLOSE-WAIT', 'LAST-ACK', 'LISTEN', 'CLOSING', 'SYN-RECV'];

/** Words of 32 bits, each in this machine's order of bytes (proc_pid_net(5)). */
function addressOf(hexadecimal: string): string {
  const bytes = Buffer.from(hexadecimal, 'hex');
  if (endianness() === 'LE') bytes.swap32();
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.readUInt16BE(10) === 0xffff && bytes.subarray(0, 10).every((byte) => byte === 0)) return bytes.subarray(12).join('.');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16));
  return new SocketAddress({ address: groups.join(':'), family: 'ipv6' }).address; // in its usual form (RFC 5952)
}

/** Number, local address, peer address, state, send and receive queue, timer, retransmissions, owner, timeouts, inode; and what nobody asks for. */
const LINE = /^ *\d{1,10}: ([\dA-F]{8}(?:[\dA-F]{24})?):([\dA-F]{4}) ([\dA-F]{8}(?:[\dA-F]{24})?):([\dA-F]{4}) (0[1-9A-C]) [\dA-F]{8}:([\dA-F]{8}) \S{1,20} [\dA-F]{8} +\d{1,10} +-?\d{1,10} (\d{1,15}) \d/;

function parseLine(protocol: InetSocket['protocol'], line: string): InetSocket | undefined {
  const [, local = '', localPort = '', peer = '', peerPort = '', state = '', queue = '', inode] = LINE.exec(line) ?? [];
  if (inode === undefined || local.length !== peer.length) return undefined;
  const socket: InetSocket = {
    protocol,
    state: STATES[parseInt(state, 16)] ?? '',
    receiveQueue: parseInt(queue, 16),
    localAddress: addressOf(local),
    localPort: parseInt(localPort, 16),
    peerAddress: addressOf(peer),
    peerPort: parseInt(peerPort, 16),
    inode: Number(inode),
  };
  // A connection has both its ends in one family; a lock of two would be refused, and with it those of all others.
  return isConnection(socket) && socket.peerPort > 0 && isIP(socket.localAddress) !== isIP(socket.peerAddress) ? undefined : socket;
}

/** Parses one of the kernel's lists of sockets. One that cannot be read is a failure: nobody would lock it. */
export function parseSockets(file: string, protocol: InetSocket['protocol'], text: string): Result<InetSocket[]> {
  const sockets: InetSocket[] = [];
  for (const line of text.split('\n').slice(1).filter(Boolean)) {
    const socket = parseLine(protocol, line);
    if (socket === undefined) return unreadable(['cat', file], line.trim());
    sockets.push(socket);
  }
  return ok(sockets);
}

/**
 * The TCP and UDP sockets of this network namespace, as the kernel lists them. ss(8) tells the inode of one only with the name of its
 * cgroup, for which it looks at each file of every cgroup of the machine (`--extended`; cg_init_map() in iproute2's lib/cg_map.c): with
 * hundreds of workloads, that takes longer than all else while everything stands still.
 */
export function inetSockets(): Result<InetSocket[]> {
  const sockets: InetSocket[] = [];
  for (const [name, protocol] of [['tcp', 'tcp'], ['tcp6', 'tcp'], ['udp', 'udp'], ['udp6', 'udp']] as const) {
    const file = `/proc/net/${name}`;
    const parsed = parseSockets(file, protocol, readIfThere(file));
    if (!parsed.ok) return parsed;
    sockets.push(...parsed.value);
  }
  return ok(sockets);
}

/** A kernel that has no IPv6 has no list of its sockets. */
function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

/** One that has, or had, a peer. */
export const isConnection = ({ protocol, state }: InetSocket): boolean => protocol === 'tcp' && state !== 'LISTEN' && state !== 'UNCONN';
