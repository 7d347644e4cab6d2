import { PAGE_BODY, PAGE_PATH } from '../../../clients/page.js';
import { converse, refused, type Target } from './connect.js';
import { FreshProbes, Pace, type Ask } from './fresh.js';
import { KeptProbes, type Open } from './kept.js';
import type { AnswerRecord } from './record.js';
import { openCounter, openMariadb, openPostgresql } from './sessions.js';

/** What the prober asks of Redis, and what is there. */
export const PROBED_KEY = 'pause:probed';
export const PROBED_VALUE = 'still here';

const HTTP_QUESTION = `GET ${PAGE_PATH} HTTP/1.1\r\nHost: guest\r\nConnection: close\r\n\r\n`;

type Kind =
  | { readonly kind: 'fresh'; readonly port: number; readonly ask: (target: Target) => Ask }
  | { readonly kind: 'kept'; readonly port: number; readonly open: (target: Target) => Open };

const asking = (question: string, isWhole: (answer: string) => boolean) => (target: Target): Ask => (limit) => converse(target, question, isWhole, limit);

/** A new connection for each question where that costs the server little; where it costs a process or a login, one that is kept. */
const KINDS: Readonly<Record<string, Kind>> = {
  network: { kind: 'fresh', port: 9, ask: (target) => (limit) => refused(target, limit) },
  nginx: { kind: 'fresh', port: 80, ask: asking(HTTP_QUESTION, (answer) => answer.startsWith('HTTP/1.1 200 ') && answer.endsWith(PAGE_BODY)) },
  redis: { kind: 'fresh', port: 6379, ask: asking(`GET ${PROBED_KEY}\r\n`, (answer) => answer.endsWith(`\r\n${PROBED_VALUE}\r\n`)) },
  memcached: { kind: 'fresh', port: 11211, ask: asking('version\r\n', (answer) => answer.startsWith('VERSION ') && answer.endsWith('\r\n')) },
  postgresql: { kind: 'kept', port: 5432, open: (target) => () => openPostgresql(target) },
  mariadb: { kind: 'kept', port: 3306, open: (target) => () => openMariadb(target) },
  counter: { kind: 'kept', port: 8080, open: (target) => () => openCounter(target) },
};

/** Asks a service every 20 ms, or, while it answers, only every `calmMs`. */
export function startProbes(name: string, host: string, calmMs: number, record: AnswerRecord, now: () => number): Disposable {
  const kind = KINDS[name];
  if (kind === undefined) throw new Error(`nobody knows how to probe ${name}`);
  const target = { host, port: kind.port };
  const pace = new Pace(calmMs, record, now);
  return kind.kind === 'fresh' ? new FreshProbes(kind.ask(target), record, pace) : new KeptProbes(kind.open(target), record, pace, now);
}
