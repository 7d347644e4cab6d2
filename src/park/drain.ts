import { setTimeout as sleep } from 'node:timers/promises';
import { failed, ok, type Result } from '../failure/result.ts';
import { inetSockets, type InetSocket } from '../tools/ss.ts';

/** Ports on which a connection waits that the program has not accepted, or whose handshake is under way. */
export function waitingPorts(sockets: readonly InetSocket[], ports: readonly number[]): number[] {
  const waiting = sockets.filter((socket) => socket.protocol === 'tcp' && ports.includes(socket.localPort) && ((socket.state === 'LISTEN' && socket.receiveQueue > 0) || socket.state === 'SYN-RECV' || (socket.state !== 'LISTEN' && socket.state !== 'TIME-WAIT' && socket.inode === 0 && socket.state === 'ESTAB')));
  return [...new Set(waiting.map((socket) => socket.localPort))];
}

/** Waits until every connection is accepted: one in a listen queue has no image ("In-flight connection"). */
export async function drain(ports: readonly number[], seconds: number): Promise<Result<undefined>> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const sockets = await inetSockets();
    if (!sockets.ok) return sockets;
    const waiting = waitingPorts(sockets.value, ports);
    if (waiting.length === 0) return ok(undefined);
    if (performance.now() > end) return failed({ reason: 'listen-queue', ports: waiting, seconds });
    await sleep(20);
  }
}
