import { arrange } from '../inside/accident.js';
import { lookAfterBoot, type Expected } from './after-boot.js';
import type { Context } from './context.js';
import { tryInGuest } from './in-guest.js';
import { LAST_LINE, upgradeUntil } from './jump.js';
import type { Trial } from './outcome.js';

interface Cut {
  readonly what: string;
  /** The line of `segue upgrade` at which the power goes. */
  readonly line: string;
  /** If it goes in the new kernel: how many workloads are restored by then, and begun. */
  readonly restored?: number;
  readonly begun?: number;
  readonly states: readonly string[];
}

/** Nobody takes notice of an upgrade that was under way; the next one ends it. */
const BEFORE_THE_JUMP = ['preparing', 'parking', 'given-up'];
const AFTERWARDS = ['back'];

const CUTS: readonly Cut[] = [
  { what: 'as prepare begins', line: 'make an initramfs', states: BEFORE_THE_JUMP },
  { what: 'between prepare and snapshot', line: 'make a cgroup of the lowest weight', states: BEFORE_THE_JUMP },
  { what: 'between snapshot and park', line: 'hold new connections back', states: BEFORE_THE_JUMP },
  { what: 'while workloads are imaged', line: 'and leave it stopped', states: BEFORE_THE_JUMP },
  { what: 'as the hand-over is sealed', line: 'seal the hand-over', states: BEFORE_THE_JUMP },
  { what: 'between park and jump', line: 'write all filesystems to disk', states: [...BEFORE_THE_JUMP, ...AFTERWARDS] },
  { what: 'at the jump', line: LAST_LINE, states: [...BEFORE_THE_JUMP, ...AFTERWARDS] },
  { what: 'before the first restore', line: LAST_LINE, begun: 0, restored: 0, states: AFTERWARDS },
  { what: 'as restores have begun', line: LAST_LINE, begun: 1, restored: 0, states: AFTERWARDS },
  { what: 'between two restores', line: LAST_LINE, begun: 2, restored: 1, states: AFTERWARDS },
  { what: 'after the last restore', line: LAST_LINE, begun: 4, restored: 4, states: AFTERWARDS },
];

const MARK = 'faults: now';
/** Nobody waits for a machine without power for long. */
const PATIENCE_MS = 30_000;
const BOOT_MS = 600_000;

/** In the new kernel, says so on the serial console when so many workloads are restored. */
const herald = ({ begun = 0, restored = 0 }: Cut): string => `cd /var/lib/segue/upgrades/*
until [ "$(grep -c '"event":"restoring"' journal.ndjson)" -ge ${begun} ] && [ "$(grep -c '"event":"restored"' journal.ndjson)" -ge ${restored} ]; do sleep 0.05; done
echo '${MARK}' >/dev/ttyS0`;

/** The power goes, the disk stays: with what was flushed to it. */
export async function* powerCut(context: Context): AsyncGenerator<Trial> {
  for (const cut of CUTS) {
    const expected: Expected = { kernel: 'old', states: cut.states, fate: () => 'either' };
    yield* tryInGuest(context, { fault: 'power-cut', what: `the power goes ${cut.what}` }, { durable: true }, async (server) => {
      const { guest } = server;
      const inNewKernel = cut.restored !== undefined;
      if (inNewKernel) await arrange(guest, 'herald', { before: [], script: herald(cut) });
      using clients = await server.startClients({ patienceMs: PATIENCE_MS });
      await upgradeUntil(guest, { line: cut.line, ...(inNewKernel ? { console: MARK } : {}) });
      await guest.cutPower();
      await guest.powerOn();
      await guest.waitForSsh({ timeoutMs: BOOT_MS });
      return await lookAfterBoot(server, clients, expected);
    });
  }
}
