import { failed, type Result } from '../failure/result.ts';
import { run } from '../tools/command.ts';

/**
 * Starts the loaded kernel at once (kexec(8), `--exec`): nothing is killed or closed on the way, so no peer hears of
 * it. That it returns at all means that it failed.
 */
export async function jump(): Promise<Result<never>> {
  const { stderr, exitCode } = await run(['kexec', '--exec']);
  return failed({ reason: 'step-failed', step: 'start the new kernel', error: stderr.trim() || `kexec ended with exit code ${exitCode.toString()}` });
}
