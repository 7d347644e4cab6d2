import { expect, test } from 'vitest';
import { socketsHeld } from '../../../src/survey/facts.ts';
import { listening, openFile, pipeFile, socketFile } from './builders.ts';

test('the sockets of a workload are those that it has open', () => {
  const [own, other] = [{ ...listening(80), inode: 7 }, { ...listening(81), inode: 8 }];
  expect(socketsHeld([socketFile(7), openFile()], [own, other])).toEqual([own]);
});

test('a connection that no program holds is nobody\'s, and not of everyone who has a file open', () => {
  const closing = { ...listening(80), state: 'TIME-WAIT', peerPort: 40000, inode: 0 };
  expect(socketsHeld([openFile(), pipeFile(9)], [closing])).toEqual([]);
});
