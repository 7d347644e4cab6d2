/**
 * Why an image that was taken while its workload slept is not used as it is: when in doubt, the workload is imaged again.
 * docs/snapshots.md has a row for each.
 */
export const DOUBTS = {
  // It cannot be told whether the image is current: none is taken, or it only serves as the memory to build on.
  kernel: 'this kernel cannot count system calls',
  'thirty-two-bit': 'it makes system calls of 32 bits',
  descriptor: 'it has something open that others can change unseen',
  timer: 'it has set a timer',
  'shared-file': 'it can write to a file through its memory',
  nameless: 'a file that it has open has lost its name, and has another',
  'not-imaged': 'it could not be imaged while it slept',
  held: 'an earlier snapshot held it for long',
  // Something has happened since.
  tasks: 'its processes or threads are others now',
  ran: 'it has done what others could notice',
  signal: 'a signal waits for it',
  stopped: 'it was stopped',
  terms: 'its limits, priorities or processors were changed',
  file: 'a file that it uses was changed, renamed or removed',
  connection: 'one of its TCP connections has moved, or was about to',
  queue: 'something waits in one of its sockets',
  counter: 'another process has changed a counter of its',
  restless: 'it could not be stopped in time',
} as const;

export type DoubtKind = keyof typeof DOUBTS;

export interface Doubt {
  readonly kind: DoubtKind;
  /** Which one: a path, a process, a socket. */
  readonly what?: string;
}

export const doubt = (kind: DoubtKind, what?: string): Doubt => ({ kind, ...(what === undefined ? {} : { what }) });
export const doubtWords = ({ kind, what }: Doubt): string => (what === undefined ? DOUBTS[kind] : `${DOUBTS[kind]}: ${what}`);
