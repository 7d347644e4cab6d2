import type { Socket } from 'node:net';
import { serve, type TestServer } from './server.js';
import { Troublemaker, type Trouble } from './trouble.js';

const STARTUP = 196_608;
const BACKEND_PID = 4711;
const INTEGER = 23;

/** As much of PostgreSQL as psql and node-postgres need for the clients' statements. */
export function postgresqlServer(trouble: Trouble): Promise<TestServer> {
  const troublemaker = new Troublemaker(trouble);
  let rows: number[] = [];
  /** What count(*) gives too much. */
  let excess = 0;

  function run(sql: string, socket: Socket): void {
    const inserted = /^INSERT INTO (\w+) VALUES \((\d+)\)/.exec(sql);
    if (inserted !== null) {
      const n = Number(inserted[2]);
      if (inserted[1] === 'segue_rows') {
        rows.push(n);
        socket.write(result([]));
      } else {
        void troublemaker.answer(socket, (skip) => {
          if (!skip) rows.push(n);
          return result([[n]]);
        });
      }
      return;
    }
    const [, number = '', what] = /^SELECT (\d+), (.*?)(?: FROM|$)/.exec(sql) ?? [];
    if (what === 'count(*)') {
      void troublemaker.answer(socket, (skip) => {
        if (skip) excess++;
        return result([[number, rows.length + excess]]);
      });
    } else if (what === 'count(*), sum(n), pg_backend_pid()') {
      const sum = rows.reduce((total, n) => total + n, 0);
      socket.write(result([[number, rows.length + excess, sum, BACKEND_PID]]));
    } else if (what === 'pg_backend_pid()') socket.write(result([[number, BACKEND_PID]]));
    else if (what === "'committed'") socket.write(result([[number, 'committed']]));
    else if (sql.startsWith('SELECT n')) socket.write(result(rows.map((n) => [n])));
    else {
      if (sql.startsWith('CREATE')) rows = [];
      socket.write(result([]));
    }
  }

  return serve((socket) => {
    let received = Buffer.alloc(0);
    let started = false;
    socket.on('data', (data) => {
      received = Buffer.concat([received, data]);
      for (;;) {
        const header = started ? 1 : 0;
        if (received.length < header + 4) return;
        const length = header + received.readInt32BE(header);
        if (received.length < length) return;
        const message = received.subarray(0, length);
        received = received.subarray(length);
        if (started) {
          if (message.toString('latin1', 0, 1) === 'Q') run(message.toString('utf8', 5, length - 1).replace(/;$/, ''), socket);
        } else if (message.readInt32BE(4) === STARTUP) {
          started = true;
          socket.write(greeting());
          // Requests for encryption come before the start.
        } else socket.write('N');
      }
    });
  });
}

function message(type: string, ...parts: (string | Buffer)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(`${part}\0`) : part)));
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body]);
}

function greeting(): Buffer {
  return Buffer.concat([
    message('R', int32(0)),
    message('S', 'server_version', '17.0'),
    message('S', 'client_encoding', 'UTF8'),
    message('S', 'standard_conforming_strings', 'on'),
    message('K', int32(BACKEND_PID), int32(1)),
    message('Z', Buffer.from('I')),
  ]);
}

function result(rows: readonly (readonly (string | number)[])[]): Buffer {
  const [first] = rows;
  const columns = first?.map((value) => {
    const type = typeof value === 'number' ? INTEGER : 25;
    return Buffer.concat([Buffer.from('n\0'), int32(0), int16(0), int32(type), int16(-1), int32(-1), int16(0)]);
  });
  return Buffer.concat([
    ...(columns === undefined ? [] : [message('T', int16(columns.length), ...columns)]),
    ...rows.map((row) => message('D', int16(row.length), ...row.map((value) => field(String(value))))),
    message('C', columns === undefined ? 'OK' : `SELECT ${rows.length}`),
    message('Z', Buffer.from('T')),
  ]);
}

function field(text: string): Buffer {
  return Buffer.concat([int32(text.length), Buffer.from(text)]);
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
}

function int16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeInt16BE(value);
  return buffer;
}
