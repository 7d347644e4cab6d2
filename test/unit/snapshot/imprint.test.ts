import { expect, test } from 'vitest';
import { sameImprint, type Imprint } from '../../../src/snapshot/imprint.ts';

const CONNECTION = 'ESTAB 0 bytes_acked:1 bytes_received:3 segs_out:4 snd_wnd:64512 rcv_wnd:65152';
const IMPRINT: Imprint = {
  threads: [10, 11],
  calls: 5,
  terms: { '/proc/10': 'limits', '/proc/10/task/10': '20 0' },
  files: { '/etc/hosts': '1 2 3' },
  sockets: [7],
  connections: { 7: CONNECTION },
  counters: { '/proc/10/fdinfo/3': 'eventfd-count: 0' },
  locks: [],
};

test('what CRIU does itself is nothing that has happened to a workload', () => {
  expect(sameImprint(IMPRINT, { ...IMPRINT, calls: 90, deeds: 3, locks: ['CRIU-1'], connections: { 7: CONNECTION.replace('segs_out:4', 'segs_out:5').replace('rcv_wnd:65152', 'rcv_wnd:65280') } })).toBe(true);
});

test.for<[string, Partial<Imprint>]>([
  ['bytes that were received', { connections: { 7: CONNECTION.replace('bytes_received:3', 'bytes_received:7') } }],
  ['bytes that were acknowledged', { connections: { 7: CONNECTION.replace('bytes_acked:1', 'bytes_acked:2') } }],
  ['a connection that was closed', { connections: { 7: CONNECTION.replace('ESTAB', 'CLOSE-WAIT') } }],
  ['an event', { counters: { '/proc/10/fdinfo/3': 'eventfd-count: 1' } }],
  ['another file', { files: { '/etc/hosts': '1 2 4' } }],
  ['another thread', { threads: [10, 12] }],
  ['other limits', { terms: { ...IMPRINT.terms, '/proc/10': 'others' } }],
  ['another socket', { sockets: [7, 8] }],
])('%s happened to it', ([, later]) => {
  expect(sameImprint(IMPRINT, { ...IMPRINT, ...later })).toBe(false);
});
