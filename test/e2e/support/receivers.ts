import { fileURLToPath } from 'node:url';
import type { Guest } from '../../../lab/lab.js';
import { lines } from '../../../lab/inside/command.js';
import { numbersOf } from './numbered.ts';

export interface Receiver {
  /** What test/e2e/support/receiver calls it. */
  readonly kind: 'loop' | 'behind' | 'blocking';
  readonly port: number;
  /** Of the unit: who has less is parked earlier. */
  readonly priority: number;
}

export const unitOf = ({ kind }: Receiver): string => `receiver-${kind}.service`;

const PROGRAM = '/usr/local/bin/receiver';
const BLOCK = '/usr/local/share/numbers';

/** Whoever else is there makes each upgrade longer. */
const OTHERS = 'nginx redis-server memcached mariadb';

/**
 * Of an eighth of the connections every fiftieth segment is lost: what follows it is in the receiver's kernel, and not
 * acknowledged, or only selectively (RFC 2018).
 */
const LOSS = `table inet loss {
  chain input {
    type filter hook input priority raw; policy accept;
    tcp sport & 7 == 0 meta length > 100 numgen random mod 50 == 0 counter drop
  }
}
`;

/** Makes the guest a server that has these receivers, and nothing else to carry. */
export async function startReceivers(guest: Guest, seed: number, receivers: readonly Receiver[]): Promise<void> {
  await guest.copyIn(fileURLToPath(new URL('receiver', import.meta.url)), PROGRAM);
  await guest.exec(['tee', BLOCK], { input: numbersOf(seed) });
  for (const receiver of receivers) {
    const { kind, port, priority } = receiver;
    const unit = `[Service]\nExecStart=/usr/bin/perl ${PROGRAM} ${kind} ${port} ${BLOCK}\n[X-Segue]\nPriority=${priority}\n`;
    await guest.exec(['tee', `/etc/systemd/system/${unitOf(receiver)}`], { input: unit });
  }
  await guest.exec(['nft', '-f', '-'], { input: LOSS });
  const units = receivers.map(unitOf).join(' ');
  const ports = receivers.map(({ port }) => `sport = :${port}`).join(' or ');
  await guest.exec(`
    set -e
    systemctl mask --quiet ${OTHERS} postgresql
    systemctl kill --signal=KILL ${OTHERS} $(systemctl list-units --plain --no-legend 'postgresql@*' | cut -d ' ' -f 1)
    # A full queue then drops a SYN, which comes again; a peer with a cookie may be turned away when it is too late.
    sysctl --quiet --write net.ipv4.tcp_syncookies=0
    systemctl daemon-reload
    systemctl start ${units}
    until [ "$(ss -Htln '( ${ports} )' | wc -l)" = ${receivers.length} ]; do sleep 0.1; done
  `, { timeoutMs: 180_000 });
}

/** Whether receivers that lag go on to do so, or read all that there is. */
export async function catchUp(guest: Guest, receivers: readonly Receiver[], does: boolean): Promise<void> {
  const units = receivers.filter(({ kind }) => kind === 'behind').map(unitOf);
  await guest.exec(['systemctl', 'kill', `--signal=${does ? 'USR1' : 'USR2'}`, ...units]);
}

export interface Unread {
  readonly connections: number;
  readonly bytes: number;
}

/** What waits in the kernel for the programs: acknowledged, and not read. */
export async function readUnread(guest: Guest, receivers: readonly Receiver[]): Promise<Unread> {
  const ports = receivers.map(({ port }) => `sport = :${port}`).join(' or ');
  const queues = (await lines(guest, `ss -Htn state connected '( ${ports} )' | awk '$2 > 0 { print $2 }'`)).map(Number);
  return { connections: queues.length, bytes: queues.reduce((sum, bytes) => sum + bytes, 0) };
}

/** What the machine knows of restores that went wrong: the end of the journal, of CRIU's logs, and of the system's. */
export async function describeRestores(guest: Guest): Promise<string> {
  const { stdout } = await guest.exec('cd /var/lib/segue/upgrades; tail -n 40 */journal.ndjson; find . -name restore.log -exec tail -n 40 {} +; journalctl --boot --no-pager | grep -i -e segue -e receiver | tail -n 80', { reject: false });
  return stdout;
}
