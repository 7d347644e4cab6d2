import type { Guest } from '../../../lab/lab.js';
import { lines } from '../../../lab/inside/command.js';

/** Properties of a unit, as systemctl shows them. */
export async function unitProperties(guest: Guest, unit: string, ...names: readonly string[]): Promise<Record<string, string>> {
  const shown = await lines(guest, `systemctl show -p ${names.join(',')} -- ${unit}`);
  return Object.fromEntries(shown.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
}

/** Waits in the guest until a shell condition holds. */
export async function until(guest: Guest, condition: string, timeoutMs = 60_000): Promise<void> {
  await guest.exec(`until ${condition}; do sleep 0.1; done`, { timeoutMs });
}
