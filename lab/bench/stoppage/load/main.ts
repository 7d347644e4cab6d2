/**
 * The clients of Redis in one process, outside the guest. Its argument says what they do ({@link Load}); it tells what
 * happens on stdout ({@link LoadEvent}) and stops at the end of its stdin.
 */
import { randomFillSync } from 'node:crypto';
import { Redis } from 'ioredis';
import type { Turn } from './answers.js';
import { Load, STOP_MS, type LoadEvent } from './events.js';
import { Pages, rewriteAtPace, type Rewritten } from './pages.js';
import { askAtPace, steadyClock } from './paced.js';

const load = Load.parse(JSON.parse(process.argv[2] ?? 'null'));
let stopping = false;
let ended = false;

function say(event: LoadEvent): Promise<void> {
  return new Promise((resolve) => process.stdout.write(`${JSON.stringify(event)}\n`, () => resolve()));
}

async function broken(why: string): Promise<never> {
  await say({ event: 'broken', why });
  process.exit(1);
}

/** An emulated pause is far longer than a real one; Node gives an idle connection up 10 s after its first keepalive. */
const KEEPALIVE_MS = 24 * 3600 * 1000;

/** One connection, which is never opened anew: it is to outlive the upgrade. */
async function connect(): Promise<Redis> {
  const redis = new Redis({ host: load.host, lazyConnect: true, keepAlive: KEEPALIVE_MS, enableReadyCheck: false, autoResendUnfulfilledCommands: false, maxRetriesPerRequest: null, retryStrategy: null });
  let reason = 'connection closed';
  redis.on('error', (error) => (reason = error.message));
  redis.on('end', () => {
    if (!ended) void broken(reason);
  });
  await redis.connect();
  return redis;
}

/** Memory of its own for each value would be only more work for the host. */
function random(): (bytes: number) => Buffer {
  let buffer = Buffer.alloc(0);
  return (bytes) => {
    if (buffer.length !== bytes) buffer = Buffer.alloc(bytes);
    return randomFillSync(buffer);
  };
}

try {
  process.stdin.resume().on('end', () => {
    stopping = true;
    // Whoever started them may be gone, and with it the guest that owes an answer.
    setTimeout(() => void broken('the last answers have not come'), STOP_MS).unref();
  });
  const over = (): boolean => stopping;
  const writer = await connect();
  const askers = await Promise.all(Array.from({ length: load.connections }, connect));
  const pages = new Pages(writer, load.mib);
  await pages.fill(random());
  await say({ event: 'ready' });
  const turns: Turn[] = [];
  const rewritten: Rewritten[] = [];
  const begin = steadyClock.now();
  await Promise.all([
    // Each at a time of its own, so that they come evenly.
    ...askers.map((redis, index) => askAtPace(() => pages.touch(redis), { everyMs: load.everyMs, firstAt: begin + (index * load.everyMs) / askers.length }, steadyClock, (turn) => turns.push(turn), over)),
    ...(load.rewritten > 0 ? [rewriteAtPace(pages, load.rewritten, steadyClock, (each) => rewritten.push(each), over)] : []),
  ]);
  ended = true;
  for (const redis of [writer, ...askers]) redis.disconnect();
  await say({ event: 'result', pages: pages.count, turns, rewritten });
  process.exit(0);
} catch (error) {
  await broken(error instanceof Error ? error.message : String(error));
}
