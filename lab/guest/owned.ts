import type { Places } from '../paths.js';
import type { GuestRecord } from './record.js';
import { removeGuestNow } from './remove.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The guests that must not outlive this process, by their records' names. */
const owned = new Map<string, { places: Places; record: GuestRecord }>();
let watching = false;

/** Sees to it that the guest goes when this process does. A SIGKILL leaves it to the next sweep. */
export function keepTrack(places: Places, record: GuestRecord): void {
  owned.set(record.name, { places, record });
  if (watching) return;
  watching = true;
  process.on('exit', removeAll);
  for (const signal of SIGNALS) {
    process.once(signal, () => {
      removeAll();
      // Whoever else listens decides what the signal means; if nobody does, it means the end.
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    });
  }
}

export function forget(record: GuestRecord): void {
  owned.delete(record.name);
}

function removeAll(): void {
  for (const { places, record } of owned.values()) removeGuestNow(places, record);
  owned.clear();
}
