import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { converse, refused } from '../../../../lab/bench/pause/prober/connect.js';
import { FreshProbes, Pace } from '../../../../lab/bench/pause/prober/fresh.js';
import { KeptProbes, type Session } from '../../../../lab/bench/pause/prober/kept.js';
import { AnswerRecord } from '../../../../lab/bench/pause/prober/record.js';
import { longestGap } from '../../../../lab/bench/pause/gaps.js';

/** A server that answers within 1 ms, but for those who ask between two times: they are never answered. */
const isAway = (from: number, to: number) => (): boolean => Date.now() >= from && Date.now() < to;
const after = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const eager = (record: AnswerRecord): Pace => new Pace(20, record, Date.now);
const never = new Promise<never>(() => undefined);

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

test('probes that hang do not hide that the service is back', async () => {
  const record = new AnswerRecord(Date.now);
  const away = isAway(1000, 4321);
  using _probes = new FreshProbes(() => (away() ? never : after(1)), record, eager(record));
  await vi.advanceTimersByTimeAsync(6000);
  const gap = longestGap(record.answers);
  expect(gap?.from).toBe(981);
  // The first probe after the return, and its answer.
  expect(gap?.to).toBe(4341);
});

test('one that is asked less often while it answers is asked at every turn when it is silent', async () => {
  const record = new AnswerRecord(Date.now);
  const away = isAway(1000, 4321);
  let asked = 0;
  using _probes = new FreshProbes(() => {
    asked += 1;
    return away() ? never : after(1);
  }, record, new Pace(100, record, Date.now));
  await vi.advanceTimersByTimeAsync(1000);
  expect(asked).toBeLessThan(20);
  await vi.advanceTimersByTimeAsync(4000);
  expect(longestGap(record.answers)?.to).toBe(4341);
});

test('a probe that takes its time is still an answer when it comes', async () => {
  const record = new AnswerRecord(Date.now);
  using _probes = new FreshProbes(() => after(3000), record, eager(record));
  await vi.advanceTimersByTimeAsync(3100);
  expect(record.answers[0]).toBe(3020);
});

test('a probe that is given up is no answer', async () => {
  const record = new AnswerRecord(Date.now);
  using _probes = new FreshProbes((limit) => new Promise((_, reject) => limit.addEventListener('abort', () => reject(new Error('no answer')))), record, eager(record));
  await vi.advanceTimersByTimeAsync(15_000);
  expect(record.answers).toEqual([]);
  expect(record.trouble).toBe('no answer');
});

/** A server of sessions: each asks it as it is then. */
function sessionsOf(answer: (session: number) => Promise<void>): { open: () => Promise<Session>; opened: () => number } {
  let opened = 0;
  return {
    open: async () => {
      const own = (opened += 1);
      return { ask: () => answer(own), close: () => undefined };
    },
    opened: () => opened,
  };
}

test('a kept connection that was carried goes on, and was asked all the time', async () => {
  const record = new AnswerRecord(Date.now);
  const away = isAway(1000, 4300);
  // Who asks while it is away is answered when it is back.
  const { open } = sessionsOf(async () => (away() ? after(4300 - Date.now()) : after(1)));
  using _probes = new KeptProbes(open, record, eager(record), Date.now);
  await vi.advanceTimersByTimeAsync(6000);
  expect(longestGap(record.answers)?.to).toBe(4300);
});

test('where a kept connection never answers again, another takes its place', async () => {
  const record = new AnswerRecord(Date.now);
  const away = isAway(1000, 4300);
  const bornBefore = new Set<number>();
  const { open } = sessionsOf(async (session) => {
    if (away()) throw new Error('refused');
    if (Date.now() < 1000) bornBefore.add(session);
    else if (bornBefore.has(session)) return await never;
    await after(1);
  });
  using _probes = new KeptProbes(open, record, eager(record), Date.now);
  await vi.advanceTimersByTimeAsync(6000);
  const gap = longestGap(record.answers);
  expect(gap?.from).toBeLessThan(1001);
  expect(gap?.to).toBeGreaterThan(4299);
  expect(gap?.to).toBeLessThan(4402);
  expect(record.answers.at(-1)).toBeGreaterThan(5970);
});

test('a server that hangs is not buried under logins', async () => {
  const record = new AnswerRecord(Date.now);
  const { open, opened } = sessionsOf(() => never);
  using _probes = new KeptProbes(open, record, eager(record), Date.now);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(opened()).toBe(5);
});

test('an answer is good when it is whole; a refused connection is the answer of the machine itself', async () => {
  vi.useRealTimers();
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => socket.end(data.toString() === 'a' ? 'whole' : 'who'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const target = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  const limit = new AbortController().signal;
  await converse(target, 'a', (answer) => answer === 'whole', limit);
  await expect(converse(target, 'b', (answer) => answer === 'whole', limit)).rejects.toThrow('closed after "who"');
  await refused(target, limit);
  server.close();
  await once(server, 'close');
  await refused(target, limit);
  await expect(converse(target, 'a', () => true, limit)).rejects.toThrow('ECONNREFUSED');
});
