import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { doubt, type Doubt } from '../model/doubt.ts';
import { deedsTo, fileMark, isThread, processOf, processTerms, sumOf, threadState, threadsOf, type Imprint, type Surroundings } from './imprint.ts';

/** Throws when the cgroup is gone. */
export const hasSameThreads = ({ threads }: Imprint, controlGroup: string): boolean => isDeepStrictEqual(threadsOf(controlGroup), threads);

/**
 * Looks at the tasks and files of a workload, while it runs still: a task that comes or goes from now on is counted, and files are others'
 * to change for as long as these run. `marks` spares asking twice for a file that many map.
 */
export function lookAt(imprint: Imprint, controlGroup: string, marks: Map<string, string | undefined>): Doubt | undefined {
  try {
    return hasSameThreads(imprint, controlGroup) ? changedFile(imprint, marks) : doubt('tasks');
  } catch {
    return doubt('tasks'); // one has ended meanwhile
  }
}

function changedFile(imprint: Imprint, marks: Map<string, string | undefined>): Doubt | undefined {
  for (const [path, mark] of Object.entries(imprint.files)) {
    if (!marks.has(path)) marks.set(path, fileMark(path));
    if (marks.get(path) !== mark) return doubt('file', path.replace(/^\/proc\/\d+\/root/, ''));
  }
  return undefined;
}

/**
 * What else has happened to a workload since its imprint; undefined when nothing has. Its sockets are locked and its tasks
 * stopped, or the answer is worth nothing the moment after.
 */
export function changedSince(imprint: Imprint, surroundings: Surroundings): Doubt | undefined {
  return ran(imprint, surroundings) ?? changedSocket(imprint, surroundings) ?? changedCounter(imprint) ?? changedTerms(imprint, surroundings);
}

const ran = ({ threads, calls }: Imprint, now: Surroundings): Doubt | undefined => (sumOf(threads, now.calls) === calls ? undefined : doubt('ran'));

function changedSocket(imprint: Imprint, { queues, connections }: Surroundings): Doubt | undefined {
  for (const inode of imprint.sockets) {
    if (connections.get(inode) !== imprint.connections[inode]) return doubt('connection', `socket ${inode.toString()}`);
    if (connections.has(inode)) continue;
    const waiting = queues.get(inode);
    if (waiting === undefined) return doubt('descriptor', `socket ${inode.toString()}`);
    if (waiting > 0) return doubt('queue', `socket ${inode.toString()}`);
  }
  return undefined;
}

function changedCounter({ counters }: Imprint): Doubt | undefined {
  try {
    return Object.entries(counters).every(([path, text]) => readFileSync(path, 'utf8') === text) ? undefined : doubt('counter');
  } catch {
    return doubt('tasks'); // one has ended meanwhile
  }
}

/** As its threads are the same, so are its processes. Of hundreds that sleep, it takes longer to read this than all the rest. */
function changedTerms({ threads, deeds, terms }: Imprint, now: Surroundings): Doubt | undefined {
  if (deeds !== undefined && deedsTo(threads, now.deeds) === deeds) return undefined;
  try {
    for (const [path, were] of Object.entries(terms)) {
      if (!isThread(path)) {
        if (processTerms(path) !== were) return doubt('terms', processOf(path));
        continue;
      }
      const thread = threadState(path);
      if (thread.ended) return doubt('tasks');
      if (thread.signalled) return doubt('signal', processOf(path));
      if (thread.stopped) return doubt('stopped', processOf(path));
      if (thread.terms !== were) return doubt('terms', processOf(path));
    }
    return undefined;
  } catch {
    return doubt('tasks'); // one has ended meanwhile
  }
}
