import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { GUEST_ADDRESS } from '../net/namespace.js';

/** How one guest is reached by ssh. */
export interface SshTarget {
  readonly key: string;
  readonly namespace: string | undefined;
  readonly port: number | undefined;
  /** The guest's runtime folder; the control socket is in there. */
  readonly folder: string;
}

export function insideNamespace(namespace: string | undefined, argv: readonly string[]): string[] {
  return namespace === undefined ? [...argv] : ['ip', 'netns', 'exec', namespace, ...argv];
}

export function sshHost(target: SshTarget): string {
  return `root@${target.port === undefined ? GUEST_ADDRESS : '127.0.0.1'}`;
}

function controlPath(target: SshTarget): string {
  return join(target.folder, 'ssh');
}

/**
 * Options that ssh and scp share. One connection stays open and carries all commands, since a new
 * one costs seconds in an emulated guest; a guest that stops answering is given up after 20 s.
 */
export function sshOptions(target: SshTarget, options: { shared: boolean }): string[] {
  return [
    '-F', 'none',
    '-i', target.key,
    ...(target.port === undefined ? [] : ['-o', `Port=${target.port}`]),
    '-o', 'IdentitiesOnly=yes',
    '-o', 'BatchMode=yes',
    '-o', 'StrictHostKeyChecking=no',
    '-o', 'UserKnownHostsFile=/dev/null',
    '-o', 'LogLevel=ERROR',
    // The quickest to compute: the guest may be emulated, and nobody listens in.
    '-o', 'KexAlgorithms=curve25519-sha256',
    '-o', 'HostKeyAlgorithms=ssh-ed25519',
    '-o', 'PreferredAuthentications=publickey',
    '-o', 'ConnectTimeout=10',
    '-o', 'ServerAliveInterval=5',
    '-o', 'ServerAliveCountMax=4',
    ...(options.shared
      ? ['-o', 'ControlMaster=auto', '-o', 'ControlPersist=yes', '-o', `ControlPath=${controlPath(target)}`]
      : ['-o', 'ControlPath=none']),
  ]; // prettier-ignore
}

/** An ssh command line, to be run on the host. */
export function sshCommand(target: SshTarget, remote: string | undefined, options = { shared: true, tty: false }): string[] {
  return insideNamespace(target.namespace, [
    'ssh', ...sshOptions(target, options), ...(options.tty ? ['-t'] : []),
    sshHost(target), ...(remote === undefined ? [] : [remote]),
  ]); // prettier-ignore
}

export function scpCommand(target: SshTarget, from: string, to: string): string[] {
  return insideNamespace(target.namespace, ['scp', '-q', '-r', '-p', ...sshOptions(target, { shared: true }), from, to]);
}

/** Closes the shared connection; the next command opens a new one. */
export async function dropConnection(target: SshTarget): Promise<void> {
  if (!existsSync(controlPath(target))) return;
  await execa('ssh', ['-F', 'none', '-o', `ControlPath=${controlPath(target)}`, '-O', 'exit', sshHost(target)], {
    reject: false,
    stdio: 'ignore',
    timeout: 2000,
  });
}

/**
 * Waits until something listens on the guest's ssh port. A plain connect is tried at short
 * intervals: ssh itself would sit out TCP's ever longer waits while the guest is away.
 */
export async function waitForPort(target: SshTarget, signal: AbortSignal): Promise<void> {
  const [host, port] = target.port === undefined ? [GUEST_ADDRESS, 22] : ['127.0.0.1', target.port];
  const loop = `until timeout 0.5 bash -c 'exec 3<>/dev/tcp/${host}/${port}' 2>/dev/null; do sleep 0.1; done`;
  const [file = '', ...args] = insideNamespace(target.namespace, ['bash', '-c', loop]);
  await execa(file, args, { reject: false, cancelSignal: signal, stdio: 'ignore' });
}
