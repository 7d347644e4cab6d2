import { failed, ok, type Result } from '../failure/result.ts';
import { runOk } from '../tools/command.ts';
import { hasEnded, show } from '../tools/systemctl.ts';

/** Each time there is one less who could ask for another. */
const TRIES = 5;

/**
 * Stops units, all together, until none of them runs. Whoever has just lost another's service may have it started again, by the message
 * bus or a socket, and so cancel that one's stop, before it is stopped itself (systemctl(1), `--job-mode=replace`).
 */
export async function stopUnits(units: readonly string[]): Promise<Result<undefined>> {
  for (let tries = 1; ; tries += 1) {
    const stopped = await runOk(['systemctl', 'stop', '--', ...units]);
    const shown = await show(units, ['ActiveState']);
    if (!shown.ok) return shown;
    const left = shown.value.find((properties) => !hasEnded(properties));
    if (left === undefined) return ok(undefined);
    if (tries === TRIES) return stopped.ok ? failed({ reason: 'unit-began', unit: left['Id'] ?? '' }) : stopped;
  }
}
