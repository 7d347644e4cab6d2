/** The bit of a signal in the masks of proc_pid_status(5). */
export const signalBit = (number: number): bigint => 1n << BigInt(number - 1);

/** The signals that wait for a thread itself, and for its process (SigPnd and ShdPnd of /proc/PID/status, proc_pid_status(5)), a bit for each. */
export const pendingSignals = (status: string): bigint =>
  [...status.matchAll(/^(?:SigPnd|ShdPnd):\s*([0-9a-f]+)$/gm)].reduce((mask, [, bits]) => mask | BigInt(`0x${bits ?? '0'}`), 0n);
