/**
 * The prober, one process outside the guest. Its argument says whom it asks ({@link Assignment}); it tells what it sees on
 * stdout ({@link ProberEvent}) and stops at the end of its stdin.
 */
import { Assignment, type ProberEvent } from './events.js';
import { startProbes } from './probes.js';
import { AnswerRecord } from './record.js';

const PROGRESS_MS = 250;

/** Its own time does not jump, as the host's clock may. */
const now = (): number => performance.timeOrigin + performance.now();

const { host, services, calmMs } = Assignment.parse(JSON.parse(process.argv[2] ?? 'null'));

function say(event: ProberEvent): Promise<void> {
  return new Promise((resolve) => process.stdout.write(`${JSON.stringify(event)}\n`, () => resolve()));
}

const records = services.map((name) => ({ name, record: new AnswerRecord(now) }));
const probes = records.map(({ name, record }) => startProbes(name, host, calmMs, record, now));
setInterval(() => void say({ event: 'progress', services: records.map(({ name, record }) => ({ name, ...record.progress() })) }), PROGRESS_MS);
process.stdin.resume().on('end', () => {
  for (const each of probes) each[Symbol.dispose]();
  void say({ event: 'result', answers: Object.fromEntries(records.map(({ name, record }) => [name, record.answers])) }).then(() => process.exit(0));
});
