const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** How to remove the guests that must not outlive this process, by their names. */
const owned = new Map<string, () => void>();
let watching = false;

/** Sees to it that a guest goes when this process does. A SIGKILL leaves it to the next sweep. */
export function keepTrack(name: string, remove: () => void): void {
  owned.set(name, remove);
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

/** The guest is gone, or stays on its own. */
export function forget(name: string): void {
  owned.delete(name);
}

function removeAll(): void {
  for (const remove of owned.values()) remove();
  owned.clear();
}
