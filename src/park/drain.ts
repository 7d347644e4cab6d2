import { setTimeout as sleep } from 'node:timers/promises';
import { failed, ok, type Result } from '../failure/result.ts';
import type { Action } from '../model/step.ts';
import { inetSockets, type InetSocket } from '../tools/proc-net.ts';
import { setLimit } from './pace.ts';

type Drain = Extract<Action, { kind: 'drain' }>;

/** Ports on which a connection waits that the program has not accepted, or whose handshake is under way. */
export function waitingPorts(sockets: readonly InetSocket[], ports: readonly number[]): number[] {
  const waiting = sockets.filter((socket) => socket.protocol === 'tcp' && ports.includes(socket.localPort) && ((socket.state === 'LISTEN' && socket.receiveQueue > 0) || socket.state === 'SYN-RECV' || (socket.state !== 'LISTEN' && socket.state !== 'TIME-WAIT' && socket.inode === 0 && socket.state === 'ESTAB')));
  return [...new Set(waiting.map((socket) => socket.localPort))];
}

/** For so long, milliseconds, whoever was slowed down may do it slowly: what it writes meanwhile is still to be imaged. */
const SLOWLY = 1000;

/** Waits until every connection is accepted: one in a listen queue has no image ("In-flight connection"). */
export async function drain({ ports, seconds, slowed }: Drain): Promise<Result<undefined>> {
  const began = performance.now();
  for (;;) {
    const sockets = inetSockets();
    if (!sockets.ok) return sockets;
    const waiting = waitingPorts(sockets.value, ports);
    if (waiting.length === 0) return ok(undefined);
    const waited = performance.now() - began;
    if (waited > SLOWLY) for (const { controlGroup, limit } of slowed) setLimit(controlGroup, limit);
    if (waited > seconds * 1000) return failed({ reason: 'listen-queue', ports: waiting, seconds });
    await sleep(20);
  }
}
