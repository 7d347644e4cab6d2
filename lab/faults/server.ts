import { ClientsProcess, type ClientsOptions } from '../demo/clients-process.js';
import { readUnits, type UnitState } from '../demo/services.js';
import { refusing, replace } from '../inside/instead.js';
import type { Guest, Lab, SavedState } from '../lab.js';
import type { Fate } from './outcome.js';
import { PATTERNS, SERVICES, VISITOR } from './prepared.js';

/**
 * Who is restored is to have lost no connection, however long the machine was away. Who starts afresh has lost them all, and a
 * client does not hear of it whose request had arrived: it would wait for ever.
 */
const PATIENCE_MS = { restored: 900_000, others: 30_000 };

/** A guest in which a fault is tried, as it was before. */
export class Server implements AsyncDisposable {
  readonly guest: Guest;
  readonly units: readonly UnitState[];
  readonly bootId: string;
  readonly kernel: string;

  private constructor(guest: Guest, units: readonly UnitState[], bootId: string, kernel: string) {
    this.guest = guest;
    this.units = units;
    this.bootId = bootId;
    this.kernel = kernel;
  }

  static async start(lab: Lab, state: SavedState, options: { durable?: boolean } = {}): Promise<Server> {
    const guest = await lab.up({ state, ...options });
    const [units, bootId, kernel] = await Promise.all([readUnits(guest, PATTERNS), guest.bootId(), guest.kernelRelease()]);
    return new Server(guest, units, bootId, kernel);
  }

  /** Whatever comes before it, no upgrade gets further than to the jump. */
  async refuseJump(): Promise<void> {
    await replace(this.guest, '/usr/sbin/kexec', refusing('kexec', '--exec', 'not into that one'));
  }

  /** The names of those whose service is restored. */
  restoredClients(fate: (unit: string) => Fate): ReadonlySet<string> {
    return new Set(SERVICES.flatMap(({ clients }, index) => (fate(this.units[index]?.unit ?? '') === 'restored' ? clients : [])));
  }

  /** How long each client waits for an answer, by what becomes of its service. */
  patience(fate: (unit: string) => Fate): (client: string) => number {
    const restored = this.restoredClients(fate);
    return (client) => (restored.has(client) ? PATIENCE_MS.restored : PATIENCE_MS.others);
  }

  async startClients(options: Omit<ClientsOptions, 'names'> = {}): Promise<ClientsProcess> {
    const clients = new ClientsProcess(this.guest, { paused: () => undefined, resumed: () => undefined }, { names: [...SERVICES.flatMap(({ clients }) => clients), VISITOR], ...options });
    try {
      await clients.ready;
    } catch (error) {
      clients[Symbol.dispose]();
      throw error;
    }
    return clients;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.guest.down();
  }
}
