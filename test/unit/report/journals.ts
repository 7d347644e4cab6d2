import type { JournalEvent } from '../../../src/store/journal.ts';

const OLD = '6.12.1';
const NEW = '7.3.4';

/** An event at a time of day on the first of January 2026. */
export const event = (time: string, name: string, rest: Partial<JournalEvent> = {}): JournalEvent => ({
  at: `2026-01-01T${time}Z`,
  kernel: OLD,
  event: name,
  ...rest,
});

export const BEGUN: readonly JournalEvent[] = [
  event('10:00:00.000', 'begun', {
    from: OLD,
    to: NEW,
    units: [
      { unit: 'redis.service', fate: 'carried', pid: 400, memory: 10 },
      { unit: 'nginx.service', fate: 'carried', pid: 500, memory: 20 },
      { unit: 'game.service', fate: 'stopped', pid: 600, memory: 30 },
    ],
  }),
  event('10:00:00.010', 'step', { phase: 'prepare', step: 'make the hand-over' }),
];

export const PARKING: readonly JournalEvent[] = [
  ...BEGUN,
  event('10:00:02.000', 'step', { phase: 'park', step: 'stop those that will be started afresh' }),
  event('10:00:02.500', 'step', { phase: 'park', step: 'image', unit: 'redis.service' }),
  event('10:00:03.000', 'step', { phase: 'park', step: 'image', unit: 'nginx.service' }),
];

export const JUMPING: readonly JournalEvent[] = [
  ...PARKING,
  event('10:00:04.000', 'step', { phase: 'jump', step: 'write all filesystems to disk' }),
  event('10:00:05.000', 'jumping', { phase: 'jump', step: 'start Linux' }),
];

const after = (time: string, name: string, rest: Partial<JournalEvent> = {}): JournalEvent => event(time, name, { kernel: NEW, ...rest });

export const ARRIVED: readonly JournalEvent[] = [...JUMPING, after('10:00:08.000', 'arrived'), after('10:00:08.100', 'locked')];

export const SETTLED: readonly JournalEvent[] = [
  ...ARRIVED,
  after('10:00:09.000', 'restoring', { unit: 'redis.service' }),
  after('10:00:10.000', 'restored', { unit: 'redis.service' }),
  after('10:00:11.000', 'restored', { unit: 'nginx.service' }),
  after('10:00:12.000', 'settling'),
  after('10:00:12.500', 'settled'),
];

export const ONE_AFRESH: readonly JournalEvent[] = [
  ...ARRIVED,
  after('10:00:09.000', 'state-skipped', { what: 'sysctl kernel/x=1' }),
  after('10:00:10.000', 'restored', { unit: 'redis.service' }),
  after('10:00:10.100', 'restore-failed', { unit: 'nginx.service', why: 'its image was used before' }),
  after('10:00:10.200', 'afresh', { unit: 'nginx.service' }),
  after('10:00:12.000', 'settling'),
  after('10:00:12.400', 'afresh', { unit: 'nginx.service' }),
  after('10:00:12.500', 'settled'),
];

export const ONE_FAILED: readonly JournalEvent[] = [
  ...ARRIVED,
  after('10:00:10.000', 'restored', { unit: 'redis.service' }),
  after('10:00:10.100', 'restore-failed', { unit: 'nginx.service', why: 'its images do not match their checksums' }),
  after('10:00:10.200', 'afresh', { unit: 'nginx.service' }),
  after('10:00:12.000', 'settling'),
  after('10:00:12.400', 'failed', { unit: 'nginx.service' }),
  after('10:00:12.500', 'settled'),
];

export const GIVEN_UP: readonly JournalEvent[] = [
  ...PARKING,
  event('10:00:03.500', 'giving-up', { why: 'dump-failed', step: 'image', unit: 'nginx.service' }),
  event('10:00:03.800', 'given-up', { why: 'dump-failed' }),
];

export const GIVEN_UP_IN_PART: readonly JournalEvent[] = [
  ...PARKING,
  event('10:00:03.500', 'giving-up', { why: 'interrupted', step: 'image' }),
  event('10:00:03.800', 'given-up-in-part', { why: 'game.service stop it: command-failed' }),
];

export const REFUSING: readonly JournalEvent[] = [...JUMPING, after('10:00:08.000', 'handover-refused', { why: 'the hand-over is of another machine' })];

export const REFUSED: readonly JournalEvent[] = [
  ...REFUSING,
  after('10:00:12.000', 'settling'),
  after('10:00:12.200', 'afresh', { unit: 'redis.service' }),
  after('10:00:12.400', 'afresh', { unit: 'nginx.service' }),
  after('10:00:12.500', 'settled'),
];

/** The new kernel went down when redis had come back in it. */
export const COMING_BACK: readonly JournalEvent[] = [
  ...ARRIVED,
  after('10:00:09.000', 'restoring', { unit: 'redis.service' }),
  after('10:00:10.000', 'restored', { unit: 'redis.service' }),
  event('10:01:00.000', 'came-back'),
  event('10:01:00.100', 'locked'),
];

export const BACK: readonly JournalEvent[] = [
  ...COMING_BACK,
  event('10:01:01.000', 'restore-failed', { unit: 'redis.service', why: 'its image was used before' }),
  event('10:01:01.100', 'afresh', { unit: 'redis.service' }),
  event('10:01:02.000', 'restored', { unit: 'nginx.service' }),
  event('10:01:03.000', 'settling'),
  event('10:01:03.400', 'afresh', { unit: 'redis.service' }),
  event('10:01:03.500', 'settled'),
];

/** A boot after an attempt that got nowhere. */
export const LOST: readonly JournalEvent[] = [
  ...JUMPING,
  event('10:01:00.000', 'came-back'),
  event('10:02:00.000', 'came-back', { why: 'the way back was tried before' }),
  event('10:02:00.100', 'settling'),
  event('10:02:00.200', 'afresh', { unit: 'redis.service' }),
  event('10:02:00.300', 'afresh', { unit: 'nginx.service' }),
  event('10:02:00.500', 'settled'),
];

export const toText = (events: readonly JournalEvent[]): string => events.map((one) => `${JSON.stringify(one)}\n`).join('');
