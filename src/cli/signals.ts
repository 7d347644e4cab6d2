/** Whoever ends a process as it undoes an upgrade would leave everybody stopped. */
export function heedNoSignal(): void {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
}
