import type { Client } from './client.js';
import { httpKeepalive } from './http-keepalive.js';
import { httpLong } from './http-long.js';
import { httpNew } from './http-new.js';
import { mariadb } from './mariadb.js';
import { memcached } from './memcached.js';
import { postgresqlCommits } from './postgresql-commits.js';
import { postgresql } from './postgresql.js';
import { recorder } from './recorder.js';
import { redis } from './redis.js';
import { websocket } from './websocket.js';

/** Those whose servers a guest of the demo has. */
export const CLIENTS: readonly Client[] = [
  redis,
  postgresql,
  postgresqlCommits,
  mariadb,
  memcached,
  httpKeepalive,
  httpNew,
  websocket,
  httpLong,
];

export const EVERY_CLIENT: readonly Client[] = [...CLIENTS, recorder];
