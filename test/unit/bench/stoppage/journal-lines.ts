/** Lines of a journal whose stoppage begins at 100 s and ends at 110 s. */
export const at = (seconds: number): string => new Date(seconds * 1000).toISOString();

export const line = (seconds: number, event: object): string => JSON.stringify({ at: at(seconds), kernel: '6.12', ...event });
const step = (seconds: number, phase: string, title: string, unit?: string): string => line(seconds, { event: 'step', phase, step: title, ...(unit === undefined ? {} : { unit }) });

/** Two workloads are imaged side by side; one that sleeps is proven current; the critical one comes last. */
export const JOURNAL = [
  line(80, { event: 'begun', from: '6.12', to: '6.12', units: [{ unit: 'a.service', fate: 'carried', pid: 1, memory: 1 }] }),
  step(85, 'snapshot', 'image the memory of s (3) while it runs', 's.service'),
  line(90, { event: 'snapshot', unit: 's.service', whole: true, rounds: [{ bytes: 8 * 2 ** 20, heldMs: 9 }] }),
  step(100, 'park', 'stop those that sleep'),
  line(101, { event: 'current', current: ['s.service'] }),
  step(101, 'park', 'image a (1) and leave it stopped', 'a.service'),
  step(102, 'park', 'image b (2) and leave it stopped', 'b.service'),
  line(105, { event: 'imaged', unit: 'a.service', bytes: 2 ** 20, earlierBytes: 0, heldMs: 2000 }),
  step(105, 'park', 'image critical (4) and leave it stopped', 'critical.service'),
  line(106, { event: 'imaged', unit: 'b.service', bytes: 2 * 2 ** 20, earlierBytes: 2 ** 20, heldMs: 2000 }),
  line(106, { event: 'imaged', unit: 'critical.service', bytes: 2 ** 20, earlierBytes: 0, heldMs: 500 }),
  step(106, 'park', 'archive its /tmp', 'a.service'),
  step(107, 'park', 'seal the hand-over'),
  step(109, 'jump', 'write all filesystems to disk'),
  line(110, { event: 'jumping', phase: 'jump', step: 'start Linux' }),
  line(114, { event: 'arrived' }),
  line(120, { event: 'restored', unit: 'a.service' }),
  '',
].join('\n');
