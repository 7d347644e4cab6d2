import { existsSync } from 'node:fs';
import { links, routes, type Link } from '../tools/ip.ts';
import type { StateKind } from './kind.ts';

/**
 * Commands for `ip -batch` that put the addresses and IPv4 routes back. IPv6 addresses come without duplicate address
 * detection: they were ours a moment ago, and a socket cannot be bound to a tentative one.
 */
export function batch(found: readonly Link[], routes4: readonly string[]): string[] {
  const lines: string[] = [];
  for (const link of found) {
    if (!link.flags.includes('UP')) continue;
    lines.push(`link set dev ${link.ifname} up`);
    for (const address of link.addr_info) {
      if (address.local === undefined || address.scope === 'host' || address.temporary === true) continue;
      // The kernel makes this one itself, from the hardware address.
      if (address.family === 'inet6' && address.scope === 'link') continue;
      const peer = address.address === undefined ? '' : ` peer ${address.address}`;
      const rest = address.family === 'inet6' ? ' nodad' : `${address.broadcast === undefined ? '' : ` broadcast ${address.broadcast}`}${address.label === undefined ? '' : ` label ${address.label}`}`;
      lines.push(`address replace ${address.local}${peer}/${address.prefixlen.toString()}${rest} scope ${address.scope} dev ${link.ifname}`);
    }
  }
  return [...lines, ...routes4.map(replaceRoute)];
}

const replaceRoute = (route: string): string => `route replace ${route}`;
const file = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

/** systemd's name of a network device's unit (systemd.unit(5), "string escaping for inclusion in unit names"). */
const deviceUnit = (name: string): string => `sys-subsystem-net-devices-${name.replace(/[^A-Za-z0-9:_.]/g, (character) => `\\x${character.charCodeAt(0).toString(16)}`)}.device`;

export const network: StateKind = {
  name: 'addresses and routes',
  async carry({ paths }) {
    const [found, routes4, routes6] = await Promise.all([links(), routes('-4'), routes('-6')]);
    const usable = found.ok ? found.value : [];
    const devices = usable.filter((link) => link.flags.includes('UP') && existsSync(`/sys/class/net/${link.ifname}/device`)).map((link) => deviceUnit(link.ifname));
    const after = devices.length === 0 ? '' : `[Unit]\nWants=${devices.join(' ')}\nAfter=${devices.join(' ')}\n`;
    return [
      { phase: 'prepare', title: 'note addresses and routes', action: { kind: 'write', path: `${paths.state}/network`, content: file(batch(usable, routes4.ok ? routes4.value : [])) } },
      // A batch has one address family: ip(8) takes `-6` before `-batch` only.
      { phase: 'prepare', title: 'note IPv6 routes', action: { kind: 'write', path: `${paths.state}/network6`, content: file((routes6.ok ? routes6.value : []).map(replaceRoute)) } },
      { phase: 'prepare', title: 'wait for the network devices in the new kernel', action: { kind: 'write', path: `${paths.units}/segue-state.service.d/segue.conf`, content: after } },
    ];
  },
};
