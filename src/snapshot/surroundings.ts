import { ok, type Result } from '../failure/result.ts';
import { connections, inetSockets, unixSockets } from '../tools/ss.ts';
import { readCounts } from '../tools/tracefs.ts';
import type { Surroundings } from './imprint.ts';

/** What is asked of the machine once for many workloads; undefined when their calls are not counted. */
export async function surroundings(): Promise<Result<Surroundings | undefined>> {
  const [inet, unix, connected] = await Promise.all([inetSockets(), unixSockets(), connections()]);
  if (!inet.ok) return inet;
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
