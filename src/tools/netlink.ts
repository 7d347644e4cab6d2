const NETLINK_XFRM = 6;
const NETLINK_NETFILTER = 12;

/** Rows of words; the first line of /proc/net/netlink has the names of its columns. */
const rows = (text: string): string[][] => text.split('\n').map((line) => line.trim().split(/\s+/));

/**
 * By inode, what the kernel holds for a netlink socket (netlink(7)) that is no state of the socket itself: tunnels of IPsec, and the
 * packets that it gives to a program. `netlink` is /proc/net/netlink, the others /proc/net/netfilter/nfnetlink_log and …_queue,
 * whose second column is the port id of the socket.
 */
export function stateBehindNetlink({ netlink, log, queue }: { readonly netlink: string; readonly log: string; readonly queue: string }): Map<number, string> {
  const ports = (text: string): Set<string> => new Set(rows(text).flatMap(([, port]) => port ?? []));
  const [logged, queued] = [ports(log), ports(queue)];
  return new Map(rows(netlink).flatMap(([, protocol, port = '', , , , , , , inode]): [number, string][] => {
    if (!/^\d+$/.test(inode ?? '')) return [];
    if (Number(protocol) === NETLINK_XFRM) return [[Number(inode), 'tunnels of IPsec (xfrm)']];
    if (Number(protocol) !== NETLINK_NETFILTER) return [];
    if (logged.has(port)) return [[Number(inode), 'a log of packets (NFLOG)']];
    return queued.has(port) ? [[Number(inode), 'a queue of packets (NFQUEUE)']] : [];
  }));
}
