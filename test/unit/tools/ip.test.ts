import { expect, test } from 'vitest';
import { parseLinks, parseRoutes } from '../../../src/tools/ip.ts';
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
