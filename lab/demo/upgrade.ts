import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { LabError } from '../errors.js';
import type { Guest } from '../guest/guest.js';
import { sshCommand } from '../guest/ssh.js';
import { stage } from './stage.js';

/** How long the guest may be away, and then how long until all is settled. */
const JUMP_MS = 300_000;
const SETTLE_MS = 300_000;

/** ssh's own exit code when the connection was lost, which it is at the jump. */
const CONNECTION_LOST = 255;

/** What the demo needs of `segue status --json`. */
export const Status = z.object({
  state: z.string(),
  from: z.string(),
  to: z.string(),
  workloads: z.array(z.object({ unit: z.string(), fate: z.string(), why: z.string().optional() })),
});
export type Status = z.infer<typeof Status>;

/** Runs `segue upgrade` as an administrator would, over ssh, and waits on the new kernel until it is settled. */
export async function upgrade(guest: Guest, to: string, ...options: readonly string[]): Promise<Status> {
  return await watchedUpgrade(guest, to, options, () => undefined);
}

/** The same; `watcher` hears each line that the upgrade says, until the connection is lost. */
export async function watchedUpgrade(guest: Guest, to: string, options: readonly string[], watcher: (line: string) => void): Promise<Status> {
  const before = await guest.bootId();
  const command = ['segue upgrade --to', to, '--yes', ...options].join(' ');
  stage.quote(`$ ${command}`);
  // Its own connection: all others are to be gone when the guest freezes.
  const [file = '', ...args] = sshCommand(guest.ssh, command, { shared: false, tty: false });
  const ssh = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const jumping = new Promise<void>((resolve) => {
    for (const stream of [ssh.stdout, ssh.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        stage.quote(line);
        watcher(line);
        if (/\bjump\b/.test(line)) resolve();
      });
    }
  });
  const ended = once(ssh, 'close').then(([code]) => code as number | null);
  try {
    // Asking before that would only be work for the guest that is being frozen.
    const code = await Promise.race([jumping, ended]);
    if (typeof code === 'number' && code !== CONNECTION_LOST) throw await gaveUp(guest, code);
    const arrived = guest.waitForSsh({ afterBootId: before, timeoutMs: JUMP_MS });
    const stayed = ended.then(async (last) => {
      if (last !== CONNECTION_LOST) throw await gaveUp(guest, last);
      return await arrived;
    });
    await Promise.race([arrived, stayed]);
  } finally {
    ssh.kill();
  }
  stage.line(`ssh answers again, on Linux ${await guest.kernelRelease()}`);
  return await settled(guest);
}

async function settled(guest: Guest): Promise<Status> {
  const { stdout, stderr } = await guest.exec('segue status --wait --json', { reject: false, timeoutMs: SETTLE_MS });
  const status = Status.safeParse(JSON.parse(stdout === '' ? 'null' : stdout));
  if (!status.success) throw new LabError(`segue status --wait --json said: ${stdout || stderr || 'nothing'}`);
  return status.data;
}

async function gaveUp(guest: Guest, code: number | null): Promise<LabError> {
  const { stdout, stderr } = await guest.exec('segue status', { reject: false, timeoutMs: 30_000 });
  return new LabError(`segue upgrade ended with ${code} on the old kernel\n${stdout}${stderr}`);
}
