import { Redis } from 'ioredis';
import mysql, { type RowDataPacket } from 'mysql2/promise';
import pg from 'pg';
import { z } from 'zod';
import { LineSocket } from '../clients/line-socket.js';

export type UptimeName = 'redis' | 'postgresql' | 'mariadb' | 'memcached' | 'counter';

/** How long each program has been running, in seconds, as it says itself to a visitor from outside. */
export const Uptimes = z.object({
  redis: z.number(),
  postgresql: z.number(),
  mariadb: z.number(),
  memcached: z.number(),
  counter: z.number(),
});
export type Uptimes = z.infer<typeof Uptimes>;

export async function askUptimes(host: string): Promise<Uptimes> {
  const [redis, postgresql, mariadb, memcached, counter] = await Promise.all([
    askRedis(host),
    askPostgresql(host),
    askMariadb(host),
    askMemcached(host),
    askCounter(host),
  ]);
  return { redis, postgresql, mariadb, memcached, counter };
}

async function askRedis(host: string): Promise<number> {
  const redis = new Redis({ host, retryStrategy: null });
  try {
    return Number(/^uptime_in_seconds:(\d+)/m.exec(await redis.info('server'))?.[1]);
  } finally {
    redis.disconnect();
  }
}

async function askPostgresql(host: string): Promise<number> {
  const client = new pg.Client({ host, user: 'postgres', database: 'postgres' });
  await client.connect();
  try {
    const sql = 'SELECT extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())::float8 AS uptime';
    return (await client.query<{ uptime: number }>(sql)).rows[0]?.uptime ?? Number.NaN;
  } finally {
    await client.end();
  }
}

async function askMariadb(host: string): Promise<number> {
  const connection = await mysql.createConnection({ host, user: 'lab', database: 'lab' });
  try {
    const [rows] = await connection.query<RowDataPacket[]>("SHOW GLOBAL STATUS LIKE 'Uptime'");
    return Number(rows[0]?.['Value']);
  } finally {
    await connection.end();
  }
}

async function askMemcached(host: string): Promise<number> {
  const socket = await LineSocket.connect({ host, port: 11211 });
  try {
    socket.write('stats\r\n');
    for (;;) {
      const line = await socket.lines.take();
      const uptime = /^STAT uptime (\d+)/.exec(line)?.[1];
      if (uptime !== undefined) return Number(uptime);
      if (line === 'END') return Number.NaN;
    }
  } finally {
    socket.close();
  }
}

async function askCounter(host: string): Promise<number> {
  const response = await fetch(`http://${host}:8080/uptime`);
  return z.object({ uptimeS: z.number() }).parse(await response.json()).uptimeS;
}
