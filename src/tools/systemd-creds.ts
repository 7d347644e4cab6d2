import { run } from './command.ts';

/**
 * Whether a key can be sealed to a TPM 2.0 of this machine (systemd-creds(1)): the firmware, the kernel and systemd all
 * know it. Older releases do not know the question; then there is none.
 */
export const hasTpm = async (): Promise<boolean> => (await run(['systemd-creds', 'has-tpm2', '--quiet'])).exitCode === 0;
