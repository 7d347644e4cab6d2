import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseLinks, parseRoutes } from '../../../src/tools/ip.ts';
import { fixture } from '../../fixtures/fixture.ts';
import { damaged, endless } from '../damaged.ts';

test('of damaged addresses all are read, or none', () => {
  fc.assert(
    fc.property(damaged(fixture('ip/address.json')), (text) => {
      const result = parseLinks(text);
      if (!result.ok) {
        expect(result.failure).toMatchObject({ reason: 'output-unreadable', command: 'ip -j address show' });
        return;
      }
      const shown = (JSON.parse(text) as { ifname?: string }[]).flatMap(({ ifname }) => ifname ?? []);
      expect(result.value.map(({ ifname }) => ifname)).toEqual(shown);
    }),
  );
});

const word = fc.constantFrom('via 10.0.0.1', 'metric 5', 'proto static', 'proto dhcp', 'src 10.0.0.2', 'scope link', 'table 51', 'onlink', 'mtu 1400', 'pref medium', 'initcwnd 9');
const device = fc.constantFrom('eth0', 'dead', 'trap', 'offload', 'expires', 'linkdown', 'b.5');
const moment = fc.constantFrom('linkdown', 'dead', 'rt_offload', 'offload_failed', 'expires 86394sec', 'expires -7sec');
const route = fc
  .record({ to: fc.constantFrom('default', '10.9.0.0/16', 'unreachable 192.0.2.0/24', '2001:db8::/64'), device, before: fc.array(word, { maxLength: 3 }), after: fc.array(word, { maxLength: 3 }), moments: fc.array(moment, { maxLength: 2 }), ways: fc.array(device, { maxLength: 2 }) })
  .map(({ to, device: name, before, after, moments, ways }) => ({
    shown: [[to, ...before, 'dev', name, ...moments, ...after, ''].join(' '), ...ways.map((way) => `\tnexthop via 10.0.0.9 dev ${way} weight 1 ${moments.join(' ')}`)].join('\n'),
    lasting: [to, ...before, 'dev', name, ...after, ...ways.map((way) => `nexthop via 10.0.0.9 dev ${way} weight 1`)].join(' '),
  }));
const kernels = fc.constantFrom('10.0.0.0/24 dev eth0 proto kernel scope link src 10.0.0.1 ', 'local ::1 dev lo table local proto kernel metric 0 pref medium', 'broadcast 10.0.0.255 dev eth0 ').map((shown) => ({ shown, lasting: undefined }));

test('every route that the kernel does not make itself comes back, without what is said of it at the moment', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(route, kernels), { maxLength: 8 }), (routes) => {
      expect(parseRoutes(routes.map(({ shown }) => `${shown}\n`).join(''))).toEqual(routes.flatMap(({ lasting }) => lasting ?? []));
    }),
  );
});

test('damaged or not, a route is one command', () => {
  fc.assert(
    fc.property(damaged(fixture('ip/route4.txt'), fixture('ip/route6.txt')), (text) => {
      for (const line of parseRoutes(text)) expect(line).toMatch(/^[^\n ]+( [^\n ]+)*$/);
    }),
  );
});

test('routes without end are read in time', () => {
  for (const text of endless(' ', '\n\t', 'dev ', ' expires 1sec', 'a')) parseRoutes(text);
});
