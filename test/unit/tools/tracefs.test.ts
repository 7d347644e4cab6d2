import { readFileSync } from 'node:fs';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { NOTICED_ENTRY, NOTICED_EXIT } from '../../../src/tools/system-calls.ts';
import { EVERYBODY, parseHistogram } from '../../../src/tools/tracefs.ts';

const fixture = (name: string): string => readFileSync(new URL(`../../fixtures/tracing/${name}.txt`, import.meta.url), 'utf8');
const histogram = fixture('hist');

test('each thread has its count', () => {
  expect(parseHistogram(histogram)).toEqual(new Map([[701, 2], [361, 33]]));
});

test('what was done to a group or to a user may have been done to everybody', () => {
  expect(parseHistogram(fixture('hist-setpriority'))).toEqual(new Map([[EVERYBODY, 1], [1, 1], [650, 2]]));
});

test('a histogram that has dropped some, or is none, counts nothing', () => {
  expect(parseHistogram(histogram.replace('Dropped: 0', 'Dropped: 1'))).toBeUndefined();
  expect(parseHistogram('')).toBeUndefined();
  expect(parseHistogram('# event histogram\n')).toBeUndefined();
});

/** The filters as the kernel evaluates them: the same words mean the same in JavaScript. */
const noticed = (filter: string, id: number, ret = 0): boolean => runInNewContext(filter, { id, ret }) as boolean;

test.each([
  ['write', 1, true], ['sendto', 44, true], ['openat', 257, true], ['rt_sigreturn', 15, true], ['clone3', 435, true], ['timerfd_settime', 286, true],
  ['read', 0, false], ['epoll_wait', 232, false], ['accept4', 288, false], ['futex', 202, false], ['clock_nanosleep', 230, false],
] as const)('that %s begins is noticed or not', (_, id, expected) => {
  expect(noticed(NOTICED_ENTRY, id)).toBe(expected);
});

test.each([
  ['a read that took something', 0, 17, true], ['a read at the end of a file', 0, 0, true], ['a read that had an error', 0, -104, true],
  ['a read that had nothing', 0, -11, false], ['a read that was broken off', 0, -512, false], ['a read that a signal broke off', 0, -4, false],
  ['a connection that was accepted', 43, 9, true], ['a child that ended', 61, 4711, true],
  ['a wait that ended as something had happened', 232, 1, true], ['a wait that ended by time', 232, 0, false], ['a wait that CRIU broke off', 232, -4, false],
  ['a sleep', 230, 0, false], ['whatever was noticed as it began', 1, 5, false],
] as const)('the end of %s is noticed or not', (_, id, ret, expected) => {
  expect(noticed(NOTICED_EXIT, id, ret)).toBe(expected);
});
