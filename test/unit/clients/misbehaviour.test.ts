import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import type { Client, Counts, Running } from '../../../lab/clients/client.js';
import { httpKeepalive } from '../../../lab/clients/http-keepalive.js';
import { httpLong } from '../../../lab/clients/http-long.js';
import { httpNew } from '../../../lab/clients/http-new.js';
import { mariadb } from '../../../lab/clients/mariadb.js';
import { memcached } from '../../../lab/clients/memcached.js';
import { postgresqlCommits } from '../../../lab/clients/postgresql-commits.js';
import { postgresql } from '../../../lab/clients/postgresql.js';
import { recorder } from '../../../lab/clients/recorder.js';
import { redis } from '../../../lab/clients/redis.js';
import { websocket } from '../../../lab/clients/websocket.js';
import { counterServer } from './servers/counter.js';
import { mariadbServer } from './servers/mariadb.js';
import { memcachedServer } from './servers/memcached.js';
import { postgresqlServer } from './servers/postgresql.js';
import { recorderServer } from './servers/recorder.js';
import { redisServer } from './servers/redis.js';
import type { TestServer } from './servers/server.js';
import type { Trouble } from './servers/trouble.js';
import { webServer } from './servers/web.js';

type Verdict = Pick<Counts, 'lost' | 'errors'>;
const WELL: Verdict = { lost: 0, errors: 0 };
const ERROR: Verdict = { lost: 0, errors: 1 };
const LOST: Verdict = { lost: 1, errors: 0 };

const TROUBLES: Record<Trouble, Verdict> = {
  nothing: WELL,
  'doubles an answer': ERROR,
  'skips a number': ERROR,
  'resets the connection': LOST,
  'pauses 2 s': WELL,
};

interface Pair {
  readonly client: Client;
  readonly server: (trouble: Trouble) => Promise<TestServer>;
  readonly differs?: Partial<Record<Trouble, Verdict>>;
}

const PAIRS: readonly Pair[] = [
  { client: redis, server: redisServer },
  { client: postgresql, server: postgresqlServer },
  { client: postgresqlCommits, server: postgresqlServer },
  { client: mariadb, server: mariadbServer },
  { client: memcached, server: memcachedServer },
  { client: recorder, server: recorderServer },
  { client: httpKeepalive, server: webServer },
  // Its next connection is a new one: there is none to lose.
  { client: httpNew, server: webServer, differs: { 'resets the connection': ERROR } },
  { client: websocket, server: counterServer },
  { client: httpLong, server: counterServer },
];

/** More than it takes until a server misbehaves. */
const ENOUGH_ANSWERS = 20;

// They spend their time waiting.
vi.setConfig({ maxConcurrency: 50 });

const hasPsql = spawnSync('psql', ['--version']).status === 0;

for (const { client, server, differs } of PAIRS) {
  for (const [trouble, expected] of Object.entries({ ...TROUBLES, ...differs }) as [Trouble, Verdict][]) {
    const title = `${client.name} counts ${expected.lost} lost and ${expected.errors} errors if its server ${did(trouble)}`;
    const run = client === postgresql && !hasPsql ? test.concurrent.skip : test.concurrent;
    run(title, async () => {
      await using rig = await server(trouble);
      const running = await client.start({ host: '127.0.0.1', port: rig.port, intervalMs: 10 });
      await settled(running, trouble === 'pauses 2 s' ? 5000 : 1000);
      const { lost, errors, pauseMs, answers, messages } = await running.stop();

      expect({ lost, errors }, messages.join('\n')).toEqual(expected);
      expect(messages).toHaveLength(lost + errors);
      expect(answers).toBeGreaterThanOrEqual(5);
      // No upper bound: that would be one on the machine that the tests run on.
      expect(pauseMs).toBeGreaterThanOrEqual(trouble === 'pauses 2 s' ? 1990 : 1);
    });
  }
}

/** Until there are enough answers for the trouble to be past, or there will be no more. */
async function settled(running: Running, longestPauseMs: number): Promise<void> {
  for (let before = -1; ; ) {
    const { answers, lost, waitingMs } = running.progress();
    if (answers >= ENOUGH_ANSWERS || lost > 0 || (answers === before && waitingMs > longestPauseMs)) return;
    before = answers;
    await sleep(50);
  }
}

function did(trouble: Trouble): string {
  return trouble === 'nothing' ? 'does nothing wrong' : trouble;
}
