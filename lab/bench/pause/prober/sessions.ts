import mysql from 'mysql2/promise';
import pg from 'pg';
import { Client } from 'undici';
import { connected, type Target } from './connect.js';
import type { Session } from './kept.js';

export async function openPostgresql(target: Target): Promise<Session> {
  const socket = await connected(target);
  // pg connects by itself, and would not know that it is done.
  socket.connect = () => {
    process.nextTick(() => socket.emit('connect'));
    return socket;
  };
  const client = new pg.Client({ stream: () => socket, user: 'postgres', database: 'postgres' });
  // The question that waits, or the next one, hears of it.
  client.on('error', () => undefined);
  await client.connect();
  return {
    async ask() {
      await client.query('SELECT 1');
    },
    close: () => socket.destroy(),
  };
}

export async function openMariadb(target: Target): Promise<Session> {
  const connection = await mysql.createConnection({ stream: await connected(target), user: 'lab', database: 'lab', connectTimeout: 0 });
  connection.on('error', () => undefined);
  return {
    async ask() {
      await connection.query('SELECT 1');
    },
    // A connection that is cut off is a line in the server's log.
    close: () => {
      void connection.end().catch(() => undefined).finally(() => connection.destroy());
    },
  };
}

export async function openCounter(target: Target): Promise<Session> {
  const socket = await connected(target);
  const client = new Client(`http://${target.host}:${target.port}`, {
    // There is this one connection; undici would open the next by itself. It is not ready for one at once.
    connect: (_, done) => process.nextTick(() => (socket.destroyed ? done(new Error('the connection was lost'), null) : done(null, socket))),
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return {
    async ask() {
      const { statusCode, body } = await client.request({ method: 'GET', path: '/uptime' });
      await body.dump();
      if (statusCode !== 200) throw new Error(`status ${statusCode}`);
    },
    close: () => void client.destroy().catch(() => undefined),
  };
}
