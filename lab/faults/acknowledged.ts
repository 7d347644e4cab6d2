import type { ReportedResult } from '../clients/events.js';
import type { Guest } from '../lab.js';

/** What clients outside were told is on disk: the last number of each, as they count up from 1. */
export interface Acknowledged {
  readonly redis: number;
  readonly rows: number;
  readonly recorded: number;
}

export function acknowledgedIn(results: readonly ReportedResult[]): Acknowledged {
  const last = (client: string, key: string): number => Number(results.find(({ name }) => name === client)?.detail?.[key] ?? 0);
  return { redis: last('redis', 'counter'), rows: last('postgresql-commits', 'rows'), recorded: last('recorder', 'recorded') };
}

/** What of it the guest has: the value of the counter, and how many of the acknowledged numbers. */
export type Held = Acknowledged;

export async function readHeld(guest: Guest, { rows, recorded }: Acknowledged): Promise<Held> {
  const { stdout } = await guest.exec(`until redis-cli PING 2>/dev/null | grep -q PONG && pg_isready -q; do sleep 0.5; done
redis-cli --raw GET segue:counter
runuser -u postgres -- psql -AtXq -d postgres -c 'SELECT count(DISTINCT n) FROM segue_commits WHERE n <= ${rows}'
awk '/^[0-9]+$/ && $1 <= ${recorded} && !seen[$1]++ { count++ } END { print count + 0 }' /var/lib/recorder/numbers`, { timeoutMs: 120_000 });
  const [redis, held, numbers] = stdout.split('\n').map(Number);
  return { redis: redis ?? 0, rows: held ?? 0, recorded: numbers ?? 0 };
}

/** Acknowledged writes that are not there, one complaint for each service. */
export function missing(acknowledged: Acknowledged, held: Held): string[] {
  return [
    ...(held.redis >= acknowledged.redis ? [] : [`Redis acknowledged ${acknowledged.redis} and has ${held.redis}`]),
    ...(held.rows === acknowledged.rows ? [] : [`${acknowledged.rows - held.rows} of ${acknowledged.rows} rows that PostgreSQL acknowledged are not there`]),
    ...(held.recorded === acknowledged.recorded ? [] : [`${acknowledged.recorded - held.recorded} of ${acknowledged.recorded} numbers that the recorder acknowledged are not in its file`]),
  ];
}
