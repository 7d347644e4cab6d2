import { expect, test } from 'vitest';
import { stateBehindNetlink } from '../../../src/tools/netlink.ts';

const NETLINK = `sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
00000000c527f574 0   831        00000551 0        0        0     2        0        11
000000003cead825 6   700        00000000 0        0        0     2        0        12
000000003cead826 12  900        00000000 0        0        0     2        0        13
000000003cead827 12  901        00000000 0        0        0     2        0        14
000000003cead828 12  902        00000000 0        0        0     2        0        15
`;

test('tunnels, and packets that a program is given, are behind a netlink socket; that of one who only asks has nothing behind it', () => {
  // What they look like: nfnetlink_log.c, seq_show(), and nfnetlink_queue.c, seq_show().
  const [log, queue] = ['    5    900 2 65536 100  1\n', '    0    901     0 2 65531     0     0        7  1\n'];
  expect([...stateBehindNetlink({ netlink: NETLINK, log, queue })]).toEqual([[12, 'tunnels of IPsec (xfrm)'], [13, 'a log of packets (NFLOG)'], [14, 'a queue of packets (NFQUEUE)']]);
  expect([...stateBehindNetlink({ netlink: '', log: '', queue: '' })]).toEqual([]);
});
