import * as z from 'zod';
import { failed, ok, type Result } from '../failure/result.ts';
import { display, parseJson, run, runOk, unreadable } from './command.ts';

// What `ip -j address` and `ip -j route` print (ip-address(8), ip-route(8)); fields that are not read are left out.
const AddressInfo = z.object({
  family: z.enum(['inet', 'inet6']).or(z.string()),
  local: z.string().optional(),
  address: z.string().optional(), // the peer of a point-to-point address
  prefixlen: z.int().nonnegative(),
  broadcast: z.string().optional(),
  scope: z.string(),
  label: z.string().optional(),
  temporary: z.boolean().optional(),
});
const Link = z.object({ ifname: z.string(), address: z.string().optional(), permaddr: z.string().optional(), mtu: z.int().positive().optional(), master: z.string().optional(), flags: z.array(z.string()), link_type: z.string().optional(), addr_info: z.array(AddressInfo) });
export type Link = z.infer<typeof Link>;
// A network device that an option filtered out is there as `{}`.
const Links = z.array(Link.or(z.object({ ifname: z.never().optional() })));

const SHOW_ADDRESSES = ['ip', '-j', 'address', 'show'];

export async function links(): Promise<Result<Link[]>> {
  const shown = await runOk(SHOW_ADDRESSES);
  return shown.ok ? parseLinks(shown.value) : shown;
}

export function parseLinks(text: string): Result<Link[]> {
  const parsed = Links.safeParse(parseJson(text));
  return parsed.success ? ok(parsed.data.filter((link): link is Link => link.ifname !== undefined)) : unreadable(SHOW_ADDRESSES, text);
}

/** Routes as `ip route show` prints them, which `ip route replace` takes again; the kernel's own are left out. */
export async function routes(family: '-4' | '-6'): Promise<Result<string[]>> {
  const shown = await runOk(['ip', family, 'route', 'show', 'table', 'all']);
  return shown.ok ? ok(parseRoutes(shown.value)) : shown;
}

/** What is said of a route at the moment, and `ip route replace` does not take. */
const MOMENTARY = new Set(['linkdown', 'dead', 'pervasive', 'offload', 'offload_failed', 'trap', 'rt_offload', 'rt_offload_failed', 'rt_trap']);

export function parseRoutes(text: string): string[] {
  // Of a route with several ways each is in a line of its own.
  return text.replaceAll('\n\tnexthop ', ' nexthop ').split('\n').flatMap((line) => {
    const words = line.split(' ').filter(Boolean);
    const follow = (first: string, second: string): boolean => words.some((word, at) => word === first && words[at + 1] === second);
    if (words.length === 0 || follow('proto', 'kernel') || follow('table', 'local') || /^(local|broadcast|multicast|anycast)$/.test(words[0]!)) return [];
    // A device may be called anything.
    const ofDevice = (at: number): boolean => words[at - 1] === 'dev';
    const expiry = (at: number): boolean => words[at] === 'expires' && !ofDevice(at);
    return [words.filter((word, at) => ofDevice(at) || !(MOMENTARY.has(word) || expiry(at) || expiry(at - 1))).join(' ')];
  });
}

/** The rules by which routes are looked up, as `ip rule show` prints them and `ip rule add` takes them; the kernel's own are left out. */
export async function rules(family: '-4' | '-6'): Promise<Result<string[]>> {
  const argv = ['ip', family, 'rule', 'show'];
  const { stdout, stderr, exitCode } = await run(argv);
  // A kernel that was built without them, or told to do without IPv6, has none.
  if (exitCode !== 0 && /not supported/i.test(stderr)) return ok([]);
  return exitCode === 0 ? ok(parseRules(stdout)) : failed({ reason: 'command-failed', command: display(argv), exitCode, output: stderr.trim() });
}

/** What a kernel begins with, and what a VRF brings along. */
const KERNELS_RULES = /^pref (0 from all lookup local|32766 from all lookup main|32767 from all lookup default|\d+ from all lookup \[l3mdev-table\])$|proto kernel$/;

export function parseRules(text: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [, preference, rule = ''] = /^(\d+):\s+(\S.*)$/.exec(line) ?? [];
    const words = ['pref', preference, ...rule.split(' ').filter((word) => word !== '' && word !== '[detached]')].join(' ');
    return preference === undefined || KERNELS_RULES.test(words) ? [] : [words];
  });
}
