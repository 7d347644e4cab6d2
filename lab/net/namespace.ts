import { spawnSync } from 'node:child_process';
import { execa } from 'execa';
import { run } from '../host/run.js';

export const GUEST_ADDRESS = '10.77.0.2';
export const HOST_ADDRESS = '10.77.0.1';
export const TAP = 'tap0';
export const GUEST_MAC = '52:54:00:77:00:02';
/**
 * Of those outside. New connections are patient (older kernels do not have the second). A namespace has the congestion
 * control of the machine at first, which is anybody's choice; reno is the only one that every namespace may take
 * (tcp_set_default_congestion_control(), net/ipv4/tcp_cong.c). With bbr a sender takes the losses of an emulated minute for a
 * policer (bbr_lt_bw_sampling, net/ipv4/tcp_bbr.c) and may go on at a kilobit a second for many minutes, although nothing
 * holds it back any more.
 */
const SETTINGS = ['net.ipv4.tcp_syn_retries=127', 'net.ipv4.tcp_syn_linear_timeouts=120', 'net.ipv4.tcp_congestion_control=reno'];

/** The same in every namespace: a guest resumed from a saved state already knows its gateway's. */
const TAP_MAC = '02:5e:67:75:65:01';
const PREFIX = 'segue-lab-';

export function namespaceOf(name: string): string {
  return `${PREFIX}${name}`;
}

/** A network of its own for one guest, so that all guests can have the same address. */
export async function createNamespace(namespace: string): Promise<void> {
  await run('ip', ['netns', 'add', namespace]);
  const commands = [
    'link set lo up',
    `tuntap add dev ${TAP} mode tap`,
    `link set ${TAP} address ${TAP_MAC}`,
    `addr add ${HOST_ADDRESS}/24 dev ${TAP}`,
    `link set ${TAP} up`,
  ];
  // `ip -n NS tuntap` would open /dev/net/tun in the wrong namespace with old iproute2; exec does not.
  await run('ip', ['netns', 'exec', namespace, 'ip', '-batch', '-'], { input: `${commands.join('\n')}\n` });
  // An emulated guest is twenty times slower than the machine that it stands for, and so is its pause. With the usual
  // backoff a connect() would sit out twice that pause and give up in it (tcp_syn_retries of tcp(7), 127 s in all); with
  // a try each second it waits as long as it has to.
  for (const setting of SETTINGS) await execa('ip', ['netns', 'exec', namespace, 'sysctl', '--quiet', '--write', setting], { reject: false });
}

export async function deleteNamespace(namespace: string): Promise<void> {
  await execa('ip', ['netns', 'delete', namespace], { reject: false });
}

export function deleteNamespaceNow(namespace: string): void {
  spawnSync('ip', ['netns', 'delete', namespace], { stdio: 'ignore' });
}

/** All namespaces that a lab on this host made, by the names of their guests. */
export async function listNamespaces(): Promise<string[]> {
  const { stdout } = await execa('ip', ['netns', 'list'], { reject: false });
  return stdout
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
    .filter((namespace) => namespace.startsWith(PREFIX))
    .map((namespace) => namespace.slice(PREFIX.length));
}

/** Processes that still run inside. */
export async function processesIn(namespace: string): Promise<number[]> {
  const { stdout } = await execa('ip', ['netns', 'pids', namespace], { reject: false });
  return stdout.split('\n').filter(Boolean).map(Number);
}
