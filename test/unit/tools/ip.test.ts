import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { parseLinks, parseRoutes, parseRules } from '../../../src/tools/ip.ts';
import { fixture } from '../../fixtures/fixture.ts';

test('of the routes of a real machine those that the kernel makes itself are left out', () => {
  expect(parseRoutes(fixture('ip/route4.txt'))).toEqual(['default via 10.77.0.1 dev ens3 proto static']);
  expect(parseRoutes(fixture('ip/route6.txt'))).toEqual([]);
});

test('a route keeps its table, metric and source, and loses what only describes the moment', () => {
  expect(
    parseRoutes(
      [
        'default via 10.0.0.1 dev eth0 proto dhcp src 10.0.0.2 metric 100 linkdown',
        '10.9.0.0/16 dev wg0 table 51 scope link dead',
        'blackhole 192.0.2.0/24',
        '2001:db8::/64 dev eth0 proto ra metric 100 expires 86394sec pref medium',
        'unreachable default dev lo table 4294967295 metric 1024 pref medium',
      ].join('\n'),
    ),
  ).toEqual([
    'default via 10.0.0.1 dev eth0 proto dhcp src 10.0.0.2 metric 100',
    '10.9.0.0/16 dev wg0 table 51 scope link',
    'blackhole 192.0.2.0/24',
    '2001:db8::/64 dev eth0 proto ra metric 100 pref medium',
    'unreachable default dev lo table 4294967295 metric 1024 pref medium',
  ]);
});

test('local, broadcast, multicast and anycast routes come from addresses and are left out', () => {
  expect(parseRoutes('local 10.0.0.2 dev eth0 scope host\nbroadcast 10.0.0.255 dev eth0\nmulticast ff00::/8 dev eth0\nanycast fe80:: dev eth0\n')).toEqual([]);
});

test('a device that is filtered out is none', () => {
  expect(parseLinks('[{},{"ifname":"eth0","flags":["UP"],"addr_info":[]}]')).toEqual({ ok: true, value: [{ ifname: 'eth0', flags: ['UP'], addr_info: [] }] });
});

test.each(['', '[{"ifname":"eth0"', '[{"ifname":"eth0"}]', '{}', '[{"ifname":"eth0","flags":[],"addr_info":[{"family":"inet","prefixlen":"x","scope":"global"}]}]'])('addresses that cannot be read are a failure, not a machine without any: %j', (text) => {
  expect(parseLinks(text)).toEqual({ ok: false, failure: { reason: 'output-unreadable', command: 'ip -j address show', output: text || '(nothing)' } });
});

test('a route with several ways is one route', () => {
  const shown = 'default proto static metric 5 \n\tnexthop via 10.0.0.9 dev dead weight 2 \n\tnexthop via 10.1.0.9 dev b weight 1 \n10.0.0.0/24 dev dead proto kernel scope link src 10.0.0.1 \n';
  expect(parseRoutes(shown)).toEqual(['default proto static metric 5 nexthop via 10.0.0.9 dev dead weight 2 nexthop via 10.1.0.9 dev b weight 1']);
});

// Devices may be called like what ip(8) says of them.
test.runIf(process.getuid?.() === 0)('ip takes the routes again as they were', () => {
  const set = `
    ip link add name v0 type veth peer name v1 && ip link set v0 name b && ip link set v1 name dead &&
    for device in b dead; do ip link set dev $device up || exit 1; done
    ip addr add 10.0.0.1/24 dev dead && ip addr add 10.1.0.1/24 dev b && ip -6 addr add 2001:db8::1/64 dev dead nodad && ip -6 addr add 2001:db8:1::1/64 dev b nodad &&
    ip route add default proto static metric 5 nexthop via 10.0.0.9 dev dead weight 2 nexthop via 10.1.0.9 dev b &&
    ip -6 route add default proto static metric 5 nexthop via 2001:db8::9 dev dead weight 2 nexthop via 2001:db8:1::9 dev b &&
    ip -6 route add 2001:db8:5::/48 via 2001:db8::9 dev dead expires 900 && ip -6 route add unreachable 2001:db8:9::/48 &&
    ip route add unreachable 10.9.0.0/16 && ip route add 10.7.0.0/16 dev b table 51 mtu 1400 src 10.1.0.1 || exit 1`;
  const show = 'ip -4 route show table all && echo -- && ip -6 route show table all';
  const inside = (script: string): readonly string[][] => execFileSync('unshare', ['--net', 'sh', '-c', script], { encoding: 'utf8' }).split('--\n').map(parseRoutes);

  const [routes4 = [], routes6 = []] = inside(`${set}\n${show}`);
  expect([routes4.length, routes6.length]).toEqual([3, 3]);
  const batch = (family: string, routes: readonly string[]): string => `ip ${family} -batch - <<'EOF' || exit 1\n${routes.map((route) => `route replace ${route}\n`).join('')}EOF`;
  expect(inside(`${set}\nip -4 route flush proto static; ip -4 route flush proto boot; ip -6 route flush proto static; ip -6 route flush proto boot\n${batch('-4', routes4)}\n${batch('-6', routes6)}\n${show}`)).toEqual([routes4, routes6]);
});

test('the rules of the kernel itself, of a VRF and of a device that is gone', () => {
  expect(parseRules('0:\tfrom all lookup local\n1000:\tfrom all lookup [l3mdev-table] \n1001:\tfrom all iif gone [detached] lookup 7 \n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n')).toEqual(['pref 1001 from all iif gone lookup 7']);
});

test.runIf(process.getuid?.() === 0)('ip takes the rules again as they were', () => {
  const set = `ip -4 rule add pref 100 from 10.0.0.2 lookup 51 && ip -4 rule add pref 101 not to 10.9.0.0/16 iif gone fwmark 0x5/0xff ipproto tcp dport 80 lookup main suppress_prefixlength 0 &&
    ip -4 rule add pref 102 from 10.1.0.0/16 prohibit && ip -4 rule show`;
  const inside = (script: string): string => execFileSync('unshare', ['--net', 'sh', '-c', script], { encoding: 'utf8' });
  const rules = parseRules(inside(set));
  expect(rules).toHaveLength(3);
  const added = rules.map((rule) => `ip rule add ${rule} || exit 1`).join('\n');
  expect(parseRules(inside(`${added}\nip rule show`))).toEqual(rules);
});
