import { createConnection } from 'mysql2';
import { serve, type TestServer } from './server.js';
import { Troublemaker, type Trouble } from './trouble.js';

/** LONG PASSWORD, LONG FLAG, CONNECT WITH DB, PROTOCOL 41, TRANSACTIONS, SECURE CONNECTION, PLUGIN AUTH */
const CAPABILITIES = 0x1 | 0x4 | 0x8 | 0x200 | 0x2000 | 0x8000 | 0x80000;

const COLUMN = {
  ...{ catalog: 'def', schema: 'lab', table: 'segue_commits', orgTable: 'segue_commits', name: 'n', orgName: 'n' },
  ...{ characterSet: 45, columnLength: 11, columnType: 3, flags: 0, decimals: 0 },
};

/** As much of MariaDB as the client uses. `forgets` acknowledges this row and does not keep it. */
export function mariadbServer(trouble: Trouble, forgets?: number): Promise<TestServer> {
  const troublemaker = new Troublemaker(trouble);
  const rows: number[] = [];
  let counter = 0;
  return serve((stream) => {
    const connection = createConnection({ stream, isServer: true });
    connection.on('error', () => undefined);
    connection.serverHandshake({
      protocolVersion: 10,
      serverVersion: '11.8.0-MariaDB',
      connectionId: 1,
      statusFlags: 2,
      characterSet: 45,
      capabilityFlags: CAPABILITIES,
      authCallback(_login: unknown, accept: (error: null) => void) {
        accept(null);
        connection.sequenceId = 0;
      },
    });
    function sendNumbers(numbers: readonly number[]): void {
      connection.writeTextResult(numbers.map((n) => ({ n })), [COLUMN]);
      // Packets are numbered anew with each command.
      connection.sequenceId = 0;
    }
    function sendOk(affectedRows: number): void {
      connection.writeOk({ affectedRows });
      connection.sequenceId = 0;
    }
    // mysql2 takes any SET for one of prepared statements.
    connection.on('stmt_prepare', () => sendOk(0));
    connection.on('query', (sql: string) => {
      const n = Number(/^INSERT INTO segue_commits VALUES \((\d+)\)/.exec(sql)?.[1]);
      if (!Number.isNaN(n)) {
        if (n !== forgets) rows.push(n);
        sendOk(1);
      } else if (sql.startsWith('SELECT @segue')) {
        void troublemaker.answer(
          stream,
          (skip) => String((counter += skip ? 2 : 1)),
          (_stream, text) => sendNumbers([Number(text)]),
        );
      } else if (sql.startsWith('SELECT n')) sendNumbers(rows);
      else sendOk(0);
    });
  });
}
