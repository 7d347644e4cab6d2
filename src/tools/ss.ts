import { ok, type Result } from '../failure/result.ts';
import { run, runOk } from './command.ts';

export interface UnixSocket {
  readonly type: string;
  readonly state: string;
  readonly path: string;
  readonly inode: number;
  /** 0 when there is none. */
  readonly peerInode: number;
  /** Of the file that it is bound to, on whatever filesystem; 0 when there is none. */
  readonly fileInode: number;
  readonly receiveQueue: number;
}

/** `ADDRESS INODE ADDRESS INODE`: an address may hold blanks and numbers; the other one is `*` then. */
function ends(text: string): Pick<UnixSocket, 'path' | 'inode' | 'peerInode'> | undefined {
  const words = Array.from(text.matchAll(/[^ ]+/g), ({ 0: word, index }) => ({ word, index, isInode: /^\d{1,15}$/.test(word) }));
  const peer = words.at(-1);
  if (words.length < 4 || peer?.isInode !== true) return undefined;
  const unnamed = words[0]?.word === '*' && words[1]?.isInode === true;
  const peerUnnamed = words.at(-2)?.word === '*' && words.at(-3)?.isInode === true;
  const own = unnamed ? words[1] : peerUnnamed ? words.at(-3) : words.slice(1, -2).find(({ isInode }) => isInode);
  if (own === undefined) return undefined;
  const path = text.slice(0, own.index).trimEnd();
  return { path: path === '*' ? '' : path, inode: Number(own.word), peerInode: Number(peer.word) };
}

/** `<-> ino:5 dev:0/28 peers:`, what `-e` adds: which directions are shut, and the file. */
const EXTENDED = / (?:<->|<--|-->|---)(?: +ino:(\d{1,20}) +dev:\d+\/\d+)?(?: +peers:[\s\d]*)?$/;

/** So it is but where an address holds blanks; hundreds are read while everything stands still. */
const PLAIN = /^(u_\w+) +(\S+) +(\d{1,10}) +\d+ +([^ ]+) +(\d{1,15}) +[^ ]+ +(\d{1,15}) +(?:<->|<--|-->|---)(?: +ino:(\d{1,20}) +dev:\d+\/\d+)?(?: +peers:[\s\d]*)? *$/;

/**
 * Parses `ss -Hn -xae`: type, state, queues, local address and inode, peer address and inode, the file. The two ends of a connection
 * hardly ever both have a name. Of a line that cannot be read no socket comes: a name may even hold line ends.
 */
export function parseUnix(text: string): UnixSocket[] {
  return text.split('\n').flatMap((line) => {
    const [, kind, now = '', waiting, address = '', own, other, file] = PLAIN.exec(line) ?? [];
    if (kind !== undefined) return [{ type: kind, state: now, receiveQueue: Number(waiting), path: address === '*' ? '' : address.trimEnd(), inode: Number(own), peerInode: Number(other), fileInode: Number(file ?? 0) }];
    const [, type, state = '', queue, rest = ''] = /^(u_\w+) +(\S+) +(\d{1,10}) +\d+ +(.*)$/s.exec(line.trim()) ?? [];
    const extended = EXTENDED.exec(rest);
    const found = ends(rest.slice(0, extended?.index));
    return type === undefined || found === undefined ? [] : [{ type, state, receiveQueue: Number(queue), ...found, fileInode: Number(extended?.[1] ?? 0) }];
  });
}

export async function unixSockets(pid?: number): Promise<Result<UnixSocket[]>> {
  const shown = await runOk([...inside(pid), 'ss', '-Hn', '-xae']);
  return shown.ok ? ok(parseUnix(shown.value)) : shown;
}

/** What of a connection's state an image has, as the kernel counts it (`struct tcp_info`, include/uapi/linux/tcp.h). */
const COUNTED = /\s(bytes_(?:sent|acked|received)|segs_out|snd_wnd|rcv_wnd):(\d+)/g;
/** `[fe80::1]%eth0:53`: a port may be of any address. */
const addressOf = (endpoint: string): string => endpoint.slice(0, endpoint.lastIndexOf(':')).replace(/%.*$/, '');
/** In other states the kernel has something to do by itself, as it has while something waits to be acknowledged. */
const AT_REST = /^(ESTAB|CLOSE-WAIT) +(\d+) +0 +(\S+) +(\S+) /;

/**
 * Parses `ss -HOn -tie`: of each TCP connection, by inode, a text that stays the same for as long as its state does;
 * undefined when that changes without its program. Who has sent nothing, taken nothing in and heard of no other window
 * is as it was. A segment without data counts, too: a peer that has seen its timestamp takes no earlier one (RFC 7323,
 * 5.3), and an image goes on from its own. Not so if that peer is here: no image has what timestamps it has seen.
 */
export function parseConnections(text: string): Map<number, string | undefined> {
  return new Map(text.split('\n').flatMap((line) => {
    const inode = Number(/\sino:(\d{1,15})(?!\S)/.exec(line)?.[1] ?? 0);
    return inode === 0 ? [] : [[inode, atRest(line)] as const];
  }));
}

function atRest(line: string): string | undefined {
  const [, state, queue, local = '', peer = ''] = AT_REST.exec(line) ?? [];
  // What is 0 is not shown; at rest, no window is.
  const counted = new Map(Array.from(line.matchAll(COUNTED), ([, name = '', count]) => [name, count]));
  if (state === undefined || !counted.has('snd_wnd') || !counted.has('rcv_wnd')) return undefined;
  if (addressOf(local) === addressOf(peer)) counted.delete('segs_out');
  return [state, queue, ...Array.from(counted, ([name, count]) => `${name}:${count ?? ''}`)].join(' ');
}

export async function connections(): Promise<Result<Map<number, string | undefined>>> {
  const shown = await runOk(['ss', '-HOn', '-tie', 'state', 'connected']);
  return shown.ok ? ok(parseConnections(shown.value)) : shown;
}

/** Inodes of the sockets of kinds that CRIU cannot image: MPTCP, vsock, SCTP, TIPC, XDP. */
export async function foreignSockets(): Promise<Set<number>> {
  const { stdout } = await run(['ss', '-Hn', '-ae', '--mptcp', '--vsock', '--sctp', '--tipc', '--xdp']);
  return new Set([...stdout.matchAll(/\sino:(\d{1,15})(?!\S)/g)].map((match) => Number(match[1])));
}

/** Inodes of the connections that the kernel encrypts (Documentation/networking/tls.rst): an image of one is plain TCP. */
export async function encryptedByKernel(): Promise<Set<number>> {
  const { stdout } = await run(['ss', '-HOn', '-tie', 'state', 'connected']);
  return parseEncrypted(stdout);
}

export const parseEncrypted = (text: string): Set<number> =>
  new Set(text.split('\n').flatMap((line) => (/\stcp-ulp-tls\s/.test(line) ? Number(/\sino:(\d{1,15})(?!\S)/.exec(line)?.[1] ?? 0) : [])).filter((inode) => inode > 0));

const inside = (pid: number | undefined): string[] => (pid === undefined ? [] : ['nsenter', '--target', pid.toString(), '--net', '--']);
