import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ClientEvent, type Assignment } from '../../../lab/clients/events.js';
import { memcachedServer } from './servers/memcached.js';
import { redisServer } from './servers/redis.js';
import type { Trouble } from './servers/trouble.js';

const MAIN = fileURLToPath(new URL('../../../lab/clients/main.ts', import.meta.url));

function startMain(clients: Assignment['clients']) {
  const assignment: Assignment = { host: '127.0.0.1', clients };
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), MAIN, JSON.stringify(assignment)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  return { child, lines, exited };
}

async function runUntilStopped(trouble: Trouble, stop: (child: ReturnType<typeof startMain>['child']) => void) {
  await using redis = await redisServer(trouble);
  await using memcached = await memcachedServer('nothing');
  const { child, lines, exited } = startMain([
    { name: 'redis', port: redis.port },
    { name: 'memcached', port: memcached.port },
  ]);
  const events: ClientEvent[] = [];
  for await (const line of lines) {
    const event = ClientEvent.parse(JSON.parse(line));
    events.push(event);
    if (event.event === 'progress') stop(child);
  }
  return { events, exitCode: await exited };
}

test.concurrent('the process with the clients says when all are ready, how they get on, and the result once it is told to stop', async () => {
  const { events, exitCode } = await runUntilStopped('doubles an answer', (child) => child.stdin.write('stop\n'));

  const order = events.map((event) => event.event).filter((event, index, all) => event !== all[index - 1]);
  expect(order).toEqual(['ready', 'all-ready', 'progress', 'result']);
  const last = events.at(-1);
  expect(last).toMatchObject({
    event: 'result',
    results: [
      { name: 'redis', lost: 0, errors: 1 },
      { name: 'memcached', lost: 0, errors: 0 },
    ],
  });
  expect(exitCode).toBe(0);
});

test.concurrent('the process with the clients gives its result on SIGTERM', async () => {
  const { events, exitCode } = await runUntilStopped('nothing', (child) => child.kill('SIGTERM'));
  expect(events.at(-1)?.event).toBe('result');
  expect(exitCode).toBe(0);
});

test.concurrent('the process with the clients ends at once if a server cannot be used', async () => {
  const redis = await redisServer('nothing');
  await redis[Symbol.asyncDispose]();
  const { port } = redis;
  const { lines, exited } = startMain([{ name: 'redis', port }]);
  const events: ClientEvent[] = [];
  for await (const line of lines) events.push(ClientEvent.parse(JSON.parse(line)));

  expect(events).toMatchObject([{ event: 'unusable', client: 'redis' }]);
  expect(await exited).toBe(1);
});
