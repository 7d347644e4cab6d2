import pg from 'pg';
import type { Client } from './client.js';
import { Conversation, WrongAnswer } from './conversation.js';
import { compareRows } from './numbered-rows.js';

/** Every INSERT is a transaction of its own: what was acknowledged must be there at the end, exactly once. */
export const postgresqlCommits: Client = {
  name: 'postgresql-commits',
  port: 5432,
  async start(target) {
    const connection = new pg.Client({
      host: target.host,
      port: target.port,
      user: 'postgres',
      database: 'postgres',
      connectionTimeoutMillis: 10_000,
    });
    let acknowledged = 0;
    const conversation = new Conversation('postgresql-commits', target, {
      async prepare() {
        await connection.connect();
        await query('DROP TABLE IF EXISTS segue_commits');
        await query('CREATE TABLE segue_commits (n integer)');
      },
      async ask() {
        const n = acknowledged + 1;
        const rows = await query<{ n: number }>(`INSERT INTO segue_commits VALUES (${n}) RETURNING n`);
        acknowledged = n;
        const numbers = rows.map((row) => row.n);
        if (String(numbers) !== String(n)) throw new WrongAnswer(`INSERT gave ${numbers} instead of ${n}`);
      },
      async finish() {
        const rows = await query<{ n: number }>('SELECT n FROM segue_commits');
        const held = rows.map((row) => row.n);
        for (const complaint of compareRows(acknowledged, held)) conversation.wrong(complaint);
      },
      close: () => connection.end(),
      detail: () => ({ rows: acknowledged }),
    });
    async function query<Row extends object>(sql: string): Promise<Row[]> {
      try {
        const { rows } = await connection.query<Row>(sql);
        return rows;
      } catch (error) {
        throw isAnswer(error) ? new WrongAnswer(error.message) : error;
      }
    }
    let reason = 'connection closed by the server';
    connection.on('error', (error) => {
      // An answer nobody asked for: pg does not go on after one, the connection is well.
      if (error.message.startsWith('Received unexpected')) conversation.fail(error.message);
      else reason = error.message;
    });
    connection.on('end', () => conversation.lose(reason));
    return conversation.begin();
  },
};

/** The server refused a statement; the connection is well. With FATAL it closes it. */
function isAnswer(error: unknown): error is pg.DatabaseError {
  return error instanceof pg.DatabaseError && error.severity === 'ERROR';
}
