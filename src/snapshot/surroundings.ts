import { ok, type Result } from '../failure/result.ts';
import { inetSockets, isConnection, type InetSocket } from '../tools/proc-net.ts';
import { connections, unixSockets } from '../tools/ss.ts';
import { readCounts } from '../tools/tracefs.ts';
import type { Surroundings } from './imprint.ts';

/** What is asked of the machine once for many workloads that have these sockets; undefined when their calls are not counted. */
export async function surroundings(sockets: ReadonlySet<number>): Promise<Result<Surroundings | undefined>> {
  const inet = inetSockets();
  if (!inet.ok) return inet;
  const [unix, connected] = await Promise.all([unixSockets(), connectionsAmong(sockets, inet.value)]);
  if (!unix.ok) return unix;
  if (!connected.ok) return connected;
  const counts = readCounts();
  if (counts === undefined) return ok(undefined);
  return ok({
    ...counts,
    queues: new Map([...inet.value, ...unix.value].map((socket) => [socket.inode, socket.receiveQueue])),
    connections: connected.value,
  });
}

/** What the kernel counts of the connections that are among these sockets. Whoever sleeps has none, mostly, and then nobody is asked. */
export async function connectionsAmong(sockets: ReadonlySet<number>, inet: readonly InetSocket[]): Promise<Result<Surroundings['connections']>> {
  const found = inet.some((socket) => isConnection(socket) && sockets.has(socket.inode));
  return found ? connections() : ok(new Map());
}
