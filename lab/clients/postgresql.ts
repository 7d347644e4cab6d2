import { spawn } from 'node:child_process';
import type { Client } from './client.js';
import { Conversation, WrongAnswer } from './conversation.js';
import { Inbox } from './inbox.js';

/** psql(1): the connection was lost. Its other failures are 1 (psql's own) and 3 (an SQL error). */
const CONNECTION_LOST = 2;

/**
 * A real psql, in one long transaction on a temporary table. Both live and die with the connection and its server
 * process: what is still there afterwards has not been rebuilt by anyone.
 */
export const postgresql: Client = {
  name: 'postgresql',
  port: 5432,
  async start(target) {
    const where = `host=${target.host} port=${target.port} user=postgres dbname=postgres connect_timeout=10`;
    const psql = spawn('psql', ['-XAtqw', '-F', ' ', '-v', 'ON_ERROR_STOP=1', where], { stdio: 'pipe' });
    const answers = Inbox.ofLines(psql.stdout);
    let complaint = '';
    psql.stderr.on('data', (data: Buffer) => (complaint = (complaint + data.toString()).slice(-500)));
    // A psql that is gone is noticed by its exit.
    psql.stdin.on('error', () => undefined);

    let inserted = 0;
    let rows = 0;
    let unspoiled = true;
    let pid = '';

    /** Every answer begins with the number of the row that was inserted last: one that comes again is told apart. */
    async function ask(sql: string): Promise<string> {
      // As long as all is well, psql says nothing here.
      if (complaint !== '') conversation.wrong(complaint.trim());
      complaint = '';
      psql.stdin.write(`${sql};\n`);
      const line = await answers.take();
      const [number, ...answer] = line.split(' ');
      // An answer that comes twice: libpq complains, or takes it for that to the next statement, and stays out of step.
      if (number !== String(inserted)) conversation.fail(`unasked: ${line}`);
      return answer.join(' ');
    }
    const conversation = new Conversation('postgresql', target, {
      async prepare() {
        psql.stdin.write('BEGIN; CREATE TEMPORARY TABLE segue_rows (n bigint);\n');
        pid = await ask('SELECT 0, pg_backend_pid()');
        // Warnings of the login, about collations for instance.
        complaint = '';
      },
      async ask() {
        inserted++;
        psql.stdin.write(`INSERT INTO segue_rows VALUES (${inserted});\n`);
        const answer = await ask(`SELECT ${inserted}, count(*) FROM segue_rows`);
        const expected = rows + 1;
        rows = Number(answer);
        if (rows === expected) return;
        unspoiled = false;
        throw new WrongAnswer(`${answer} rows instead of ${expected}`);
      },
      async finish() {
        const answer = await ask(`SELECT ${inserted}, count(*), sum(n), pg_backend_pid() FROM segue_rows`);
        const [count, sum, backend] = answer.split(' ');
        if (backend !== pid) conversation.wrong(`server process ${backend} instead of ${pid}`);
        if (Number(count) !== rows) conversation.wrong(`${count} rows at the end instead of ${rows}`);
        // Once a row went missing or came twice, which was said then, the sum has nothing to add.
        const right = (inserted * (inserted + 1)) / 2;
        if (unspoiled && Number(sum) !== right) conversation.wrong(`the rows add up to ${sum} instead of ${right}`);
        psql.stdin.write('COMMIT;\n');
        await ask(`SELECT ${inserted}, 'committed'`);
      },
      close: () => void psql.stdin.end(),
      detail: () => ({ backendPid: Number(pid), rows }),
    });
    psql.on('error', (error) => conversation.lose(`psql cannot be run: ${error.message}`));
    psql.on('close', (code, signal) => {
      const why = complaint.trim() || `psql ended with ${code ?? signal}`;
      if (code === CONNECTION_LOST || code === null) conversation.lose(why);
      else conversation.fail(why);
    });
    return conversation.begin();
  },
};
