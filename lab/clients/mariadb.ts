import mysql, { type QueryResult, type RowDataPacket } from 'mysql2/promise';
import type { Client } from './client.js';
import { Conversation, WrongAnswer } from './conversation.js';
import { compareRows } from './numbered-rows.js';

/**
 * Autocommitted rows in a real table, counted by a variable of the session: the rows outlive a restart of the
 * server, the variable only outlives an upgrade that keeps the connection.
 */
export const mariadb: Client = {
  name: 'mariadb',
  port: 3306,
  async start(target) {
    const connection = await mysql.createConnection({
      host: target.host,
      port: target.port,
      user: 'lab',
      database: 'lab',
      connectTimeout: 10_000,
      enableKeepAlive: false,
    });
    let acknowledged = 0;
    let count = 0;
    const conversation = new Conversation('mariadb', target, {
      async prepare() {
        await query('DROP TABLE IF EXISTS segue_commits');
        await query('CREATE TABLE segue_commits (n INT)');
        await query('SET @segue := 0');
      },
      async ask() {
        const n = acknowledged + 1;
        const result = await query<mysql.ResultSetHeader>(`INSERT INTO segue_commits VALUES (${n})`);
        acknowledged = n;
        if (result.affectedRows !== 1) throw new WrongAnswer(`INSERT of ${n} gave ${result.affectedRows} rows`);
        const [row] = await query<RowDataPacket[]>('SELECT @segue := @segue + 1 AS n');
        const answer = Number(row?.['n'] ?? 'NaN');
        const expected = count + 1;
        count = Number.isNaN(answer) ? expected : answer;
        if (answer !== expected) throw new WrongAnswer(`the session's counter is ${answer} instead of ${expected}`);
      },
      async finish() {
        const rows = await query<RowDataPacket[]>('SELECT n FROM segue_commits');
        const held = rows.map((row) => Number(row['n']));
        for (const complaint of compareRows(acknowledged, held)) conversation.wrong(complaint);
      },
      close: () => connection.destroy(),
      detail: () => ({ rows: acknowledged }),
    });
    async function query<Result extends QueryResult>(sql: string): Promise<Result> {
      try {
        const [result] = await connection.query<Result>(sql);
        return result;
      } catch (error) {
        throw isAnswer(error) ? new WrongAnswer(error.message) : error;
      }
    }
    let reason = 'connection closed by the server';
    connection.on('error', (error: NodeJS.ErrnoException) => {
      // An answer nobody asked for: mysql2 does not go on after one, the connection is well.
      if (error.code === 'PROTOCOL_UNEXPECTED_PACKET') conversation.fail(error.message);
      else reason = error.message;
    });
    connection.on('end', () => conversation.lose(reason));
    return conversation.begin();
  },
};

/** The server refused a statement; the connection is well. */
function isAnswer(error: unknown): error is mysql.QueryError {
  return error instanceof Error && 'sqlState' in error && !('fatal' in error && error.fatal === true);
}
