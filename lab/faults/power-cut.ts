import { arrange } from '../inside/accident.js';
import { lookAfterBoot } from './after-boot.js';
import type { Context } from './context.js';
import { tryInGuest } from './in-guest.js';
import { LAST_LINE, untilBack, untilConsole, upgradeUntil } from './jump.js';
import type { Fate, Trial } from './outcome.js';
import { SERVICES } from './prepared.js';

interface Cut {
  readonly what: string;
  /** The line of `segue upgrade` at which the power goes; in the new kernel if more is said. */
  readonly line: string;
  readonly inNewKernel?: InNewKernel;
  /** States of the upgrade that are well afterwards. */
  readonly states: readonly string[];
  readonly fate?: (unit: string) => Fate;
}

interface InNewKernel {
  /** These are restored first; all others wait for the power to go. Nobody waits, if nothing is said. */
  readonly first?: readonly string[];
  /** When the power goes, for bash in the folder of the upgrade. */
  readonly when: string;
}

/** Nobody takes notice of an upgrade that was under way; the next one ends it. */
const BEFORE_THE_JUMP = ['preparing', 'parking', 'given-up'];
const AT_THE_JUMP = [...BEFORE_THE_JUMP, 'jumping', 'back'];
const AFTERWARDS = ['back'];
const FIRST = ['nginx.service', 'recorder.service'];

const count = (event: string): string => `"$(grep -c '"event":"${event}"' journal.ndjson)"`;

const CUTS: readonly Cut[] = [
  { what: 'while the hand-over is prepared', line: 'make an initramfs', states: BEFORE_THE_JUMP },
  { what: 'between prepare and snapshot', line: 'make a cgroup of the lowest weight', states: BEFORE_THE_JUMP },
  { what: 'between snapshot and park', line: 'hold new connections back', states: BEFORE_THE_JUMP },
  { what: 'while workloads are imaged', line: 'and leave it stopped', states: BEFORE_THE_JUMP },
  { what: 'as the hand-over is sealed', line: 'seal the hand-over', states: BEFORE_THE_JUMP },
  { what: 'between park and jump', line: 'write all filesystems to disk', states: AT_THE_JUMP },
  { what: 'at the jump', line: LAST_LINE, states: AT_THE_JUMP },
  { what: 'before the first restore', line: LAST_LINE, inNewKernel: { first: [], when: 'true' }, states: AFTERWARDS, fate: () => 'restored' },
  { what: 'as restores have begun', line: LAST_LINE, inNewKernel: { when: `[ ${count('restoring')} -ge 1 ]` }, states: AFTERWARDS },
  {
    what: 'between two restores',
    line: LAST_LINE,
    inNewKernel: { first: FIRST, when: `[ ${count('restored')} -ge ${FIRST.length} ]` },
    states: AFTERWARDS,
    fate: (unit) => (FIRST.includes(unit) ? 'afresh' : 'restored'),
  },
  { what: 'after the last restore', line: LAST_LINE, inNewKernel: { when: `[ ${count('restored')} -ge ${SERVICES.length} ]` }, states: AFTERWARDS, fate: () => 'afresh' },
];

const eitherWay = (): Fate => 'either';

const MARK = 'faults: now';
const BOOT_MS = 600_000;

/** In the new kernel, says on the serial console when the time has come. */
const herald = (when: string): string => `cd /var/lib/segue/upgrades/*
until ${when}; do sleep 0.05; done
echo '${MARK}' >/dev/ttyS0
sleep infinity`;

/** The power goes, the disk stays: with what was flushed to it. */
export async function* powerCut(context: Context): AsyncGenerator<Trial> {
  for (const { what, line, inNewKernel, states, fate = eitherWay } of CUTS) {
    yield* tryInGuest(context, { fault: 'power-cut', what: `the power goes ${what}` }, { durable: true }, async (server) => {
      const { guest, units } = server;
      if (inNewKernel !== undefined) {
        const { first, when } = inNewKernel;
        await arrange(guest, 'herald', { before: first === undefined ? [] : units.map(({ unit }) => unit).filter((unit) => !first.includes(unit)), script: herald(when) });
      }
      using clients = await server.startClients({ patienceMs: server.patience(fate) });
      await upgradeUntil(guest, line);
      if (inNewKernel !== undefined) await untilConsole(guest, MARK);
      await guest.cutPower();
      await guest.powerOn();
      await untilBack(guest, { timeoutMs: BOOT_MS });
      return await lookAfterBoot(server, clients, { kernel: 'old', states, fate });
    });
  }
}
