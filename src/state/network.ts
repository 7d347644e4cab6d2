import { ok } from '../failure/result.ts';
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { release } from 'node:os';
import { dirname } from 'node:path';
import { links, routes, rules, type Link } from '../tools/ip.ts';
import { firmwareOf, modulesFor } from '../tools/modprobe.ts';
import { missingDevicesScript } from '../tools/nft.ts';
import { activeUnits } from '../tools/systemctl.ts';
import type { StateKind } from './kind.ts';

/**
 * Commands for `ip -batch` that put the addresses and IPv4 routes back. IPv6 addresses come without duplicate address
 * detection: they were ours a moment ago, and a socket cannot be bound to a tentative one.
 */
export function batch(found: readonly Link[], routes4: readonly string[]): string[] {
  const lines: string[] = [];
  for (const link of found) {
    if (!link.flags.includes('UP')) continue;
    if (link.permaddr !== undefined && link.master === undefined) lines.push(`link set dev ${link.ifname} address ${link.address ?? link.permaddr}`);
    lines.push(`link set dev ${link.ifname}${link.mtu === undefined ? '' : ` mtu ${link.mtu.toString()}`} up`);
    for (const address of link.addr_info) {
      if (address.local === undefined || address.scope === 'host' || address.temporary === true) continue;
      // The kernel makes this one itself, from the hardware address.
      if (address.family === 'inet6' && address.scope === 'link') continue;
      const peer = address.address === undefined ? '' : ` peer ${address.address}`;
      const rest = address.family === 'inet6' ? ' nodad' : `${address.broadcast === undefined ? '' : ` broadcast ${address.broadcast}`}${address.label === undefined ? '' : ` label ${address.label}`}`;
      lines.push(`address replace ${address.local}${peer}/${address.prefixlen.toString()}${rest} scope ${address.scope} dev ${link.ifname}`);
    }
  }
  return [...lines, ...replaceRoutes(routes4)];
}

/** The kernel takes no gateway to which no route leads yet: in a cloud that is often one of its own, and printed last. */
const replaceRoutes = (routes: readonly string[]): string[] => {
  const byGateway = (route: string): boolean => / (via|nexthop) /.test(route);
  return [...routes.filter((route) => !byGateway(route)), ...routes.filter(byGateway)].map((route) => `route replace ${route}`);
};
const file = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');

/** Services that make network devices and give them addresses. */
const SERVICES = /^(systemd-networkd|networking|NetworkManager|dhcpcd|connman)\.service$/;

/** What `modprobe` takes to find the drivers of a network card and of what it is plugged into, outermost first. */
function modaliases(card: string): string[] {
  const found: string[] = [];
  for (let folder = card; folder !== '/sys/devices' && folder !== '/'; folder = dirname(folder)) {
    if (existsSync(`${folder}/modalias`)) found.unshift(readFileSync(`${folder}/modalias`, 'utf8').trim());
  }
  return found;
}

/** A device of software (a bridge, a bond, a VLAN) through which packets go out of a network card. */
function hasCard(name: string, sys: string): boolean {
  if (isCard(name, sys)) return true;
  const lower = readdirSync(`${sys}/${name}`).flatMap((entry) => /^lower_(.*)$/.exec(entry)?.[1] ?? []);
  return lower.some((below) => existsSync(`${sys}/${below}`) && hasCard(below, sys));
}

const isCard = (name: string, sys: string): boolean => existsSync(`${sys}/${name}/device`);
const hardwareAddress = ({ address, permaddr }: Link): string | undefined => permaddr ?? address;

/**
 * Without a card's other half, which has the same hardware address, and no addresses of its own: the virtual function below a
 * card of Hyper-V, or the one of a net_failover (Documentation/networking/net_failover.rst).
 */
export function withoutTwins(found: readonly Link[], sys: string): Link[] {
  const cards = found.filter(({ ifname }) => isCard(ifname, sys)).toSorted((a, b) => Number(a.master !== undefined) - Number(b.master !== undefined));
  return found.filter((link) => link.master === undefined || !isCard(link.ifname, sys) || cards.find((card) => hardwareAddress(card) === hardwareAddress(link)) === link);
}

/** The names of the files that systemd-networkd has read; some a generator makes, later than they are needed. */
const networkFiles = (): string[] => [...new Set(['/etc', '/run', '/usr/lib'].flatMap((folder) => {
  try {
    return readdirSync(`${folder}/systemd/network`).filter((name) => name.endsWith('.network'));
  } catch {
    return [];
  }
}))];

/** `NAME ADDRESS MODALIAS…` for a network card (boot/names), `firmware` before them where its driver may ask for some, `NAME -` for a device of software. */
async function line(link: Link, sys: string): Promise<string> {
  const { ifname } = link;
  if (!isCard(ifname, sys)) return `${ifname} -`;
  const aliases = modaliases(realpathSync(`${sys}/${ifname}/device`));
  const firmware = await firmwareOf((await modulesFor(release(), aliases)).inserts);
  return [ifname, hardwareAddress(link) ?? '-', ...(firmware.length > 0 ? ['firmware'] : []), ...aliases].join(' ');
}

/**
 * A tunnel or a bridge that leads to no card, as of a VPN or of containers: whoever makes it does so when the boot goes on. A
 * socket cannot be connected from an address that is nowhere (ip(7), "IP_FREEBIND" is for bind() only): until all is settled
 * those that are in use are the machine's own.
 */
export function missingDevices(found: readonly Link[], used: ReadonlySet<string>): { readonly device: string; readonly addresses: string[] }[] {
  return found.map(({ ifname, addr_info }) => ({ device: ifname, addresses: addr_info.flatMap(({ local, scope, family }) => (local !== undefined && used.has(local) && !(family === 'inet6' && scope === 'link') ? [local] : [])) })).filter(({ addresses }) => addresses.length > 0);
}

/** What leaves by another device than a tunnel is not encrypted; an address of a bridge or a dummy may well be reached by others. */
const isTunnel = ({ flags }: Link): boolean => flags.includes('POINTOPOINT');

/** Words for `ip address`. */
const onLoopback = (address: string): string => `${address}/${address.includes(':') ? '128 nodad' : '32'} dev lo`;

/** Network devices that lead out of the machine, with their names, addresses and routes, and addresses of others that are in use. */
export const network: StateKind = {
  name: 'addresses and routes',
  async carry({ paths, carried }) {
    const sys = '/sys/class/net';
    const [found, routes4, routes6, rules4, rules6, active] = await Promise.all([links(), routes('-4'), routes('-6'), rules('-4'), rules('-6'), activeUnits(['service'])]);
    if (!found.ok) return found;
    if (!routes4.ok) return routes4;
    if (!routes6.ok) return routes6;
    if (!rules4.ok) return rules4;
    if (!rules6.ok) return rules6;
    if (!active.ok) return active;
    const bound = new Set(carried.flatMap(({ sockets }) => sockets.map(({ localAddress }) => localAddress.replace(/^::ffff:|%.*$/g, ''))));
    const up = withoutTwins(found.value, sys).filter((link) => link.ifname !== 'lo' && link.flags.includes('UP') && existsSync(`${sys}/${link.ifname}`));
    const needed = up.filter(({ ifname }) => hasCard(ifname, sys));
    const cardless = up.filter((link) => !needed.includes(link));
    const missing = missingDevices(cardless, bound);
    const tunnels = missingDevices(cardless.filter(isTunnel), bound);
    const borrowed = missing.flatMap(({ addresses }) => addresses.map(onLoopback));
    const loopback = found.value.filter(({ ifname }) => ifname === 'lo');
    const names = new Set([...needed, ...loopback].map(({ ifname }) => ifname));
    const reachable = (route: string): boolean => [...route.matchAll(/(?:^| )dev (\S+)/g)].every(([, device = '']) => names.has(device));
    const services = active.value.filter((unit) => SERVICES.test(unit));
    const note = (title: string, name: string, content: readonly string[]) => ({ phase: 'prepare' as const, title, action: { kind: 'write' as const, path: `${paths.state}/${name}`, content: file(content) } });
    return ok([
      note('note the network devices', 'links', await Promise.all(needed.map((link) => line(link, sys)))),
      note('note addresses and routes', 'network', [...batch([...loopback, ...needed], routes4.value.filter(reachable)), ...borrowed.map((words) => `address replace ${words}`)]),
      // A batch has one address family: ip(8) takes `-6` before `-batch` only.
      note('note IPv6 routes', 'network6', replaceRoutes(routes6.value.filter(reachable))),
      ...(tunnels.length === 0 ? [] : [note('let nothing leave with the addresses of tunnels that are missing', 'missing-devices.nft', [missingDevicesScript(tunnels)])]),
      note('note the addresses of devices that are made later', 'borrowed-addresses', borrowed),
      note('note the rules by which routes are looked up', 'network-rules', [...rules4.value.map((rule) => `-4 ${rule}`), ...rules6.value.map((rule) => `-6 ${rule}`)]),
      note('note the files of systemd-networkd', 'network-files', networkFiles()),
      note('note who makes network devices', 'network-services', services),
    ]);
  },
};
