/**
 * All clients in one process, outside the guest. Its argument says which ({@link Assignment}); it tells what happens
 * on stdout ({@link ClientEvent}) and stops on a line `stop`, at the end of its stdin, or on SIGTERM.
 */
import { createInterface } from 'node:readline';
import { EVERY_CLIENT } from './all.js';
import type { Client, Running } from './client.js';
import { Assignment, type ClientEvent } from './events.js';

const PROGRESS_MS = 1000;

const assignment = Assignment.parse(JSON.parse(process.argv[2] ?? 'null'));

function say(event: ClientEvent): void {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

function clientNamed(name: string): Client {
  const client = EVERY_CLIENT.find((candidate) => candidate.name === name);
  if (client === undefined) throw new Error(`there is no client ${name}`);
  return client;
}

async function startClient({ name, port, patienceMs }: Assignment['clients'][number]): Promise<Running> {
  const client = clientNamed(name);
  try {
    const { host, intervalMs } = assignment;
    const running = await client.start({ host, port: port ?? client.port, ...(intervalMs === undefined ? {} : { intervalMs }), ...(patienceMs === undefined ? {} : { patienceMs }) });
    say({ event: 'ready', client: name });
    return running;
  } catch (error) {
    say({ event: 'unusable', client: name, message: error instanceof Error ? error.message : String(error) });
    // The clients that did start would keep the process alive.
    process.exit(1);
  }
}

const stopped = new Promise<void>((resolve) => {
  const input = createInterface({ input: process.stdin });
  input.on('line', (line) => {
    if (line === 'stop') resolve();
  });
  input.on('close', resolve);
  process.once('SIGTERM', resolve);
});

const running = await Promise.all(assignment.clients.map(startClient));
say({ event: 'all-ready' });
const ticker = setInterval(() => {
  say({ event: 'progress', clients: running.map((client) => client.progress()) });
}, PROGRESS_MS);
await stopped;
const results = await Promise.all(running.map((client) => client.stop()));
clearInterval(ticker);
say({ event: 'result', results });
process.exit(0);
