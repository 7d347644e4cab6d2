import { randomBytes } from 'node:crypto';
import { LabError } from './errors.js';
import { Guest } from './guest/guest.js';
import { checkName, readRecord, recordedNames, type GuestRecord } from './guest/record.js';
import { sweep } from './guest/remove.js';
import { startGuest } from './guest/start.js';
import { step, type Log } from './log.js';
import { prepareMachine, type MachineOptions } from './machine.js';
import { buildSegue, installSegue } from './segue-package.js';
import { ensureState, filesOf, type SavedState } from './state/saved-state.js';
import { openWorkshop, type Workshop } from './workshop.js';

export type { Guest } from './guest/guest.js';
export type { SavedState } from './state/saved-state.js';

export interface BaseOptions extends MachineOptions {
  /** Segue's package is installed (the default). */
  readonly segue?: boolean | undefined;
}

export interface UpOptions extends BaseOptions {
  /** A new one is made up if none is given. */
  readonly name?: string | undefined;
  /** Go on from this state instead of the one that the other options describe. */
  readonly state?: SavedState | undefined;
  /** Boot instead of going on from a saved state; without Segue, which is part of a state. */
  readonly boot?: boolean | undefined;
  /** The guest ends with this process (the default). */
  readonly disposable?: boolean | undefined;
  /** Its power may be cut: see Guest.cutPower. */
  readonly durable?: boolean | undefined;
}

export interface StateOptions {
  /** What the state starts from: another state, or a machine. */
  readonly base?: BaseOptions | SavedState;
  /** Names what `prepare` does; change it when `prepare` changes. */
  readonly key: string;
  /** Brings the guest into the state that is to be saved. */
  readonly prepare: (guest: Guest) => Promise<void>;
}

/** Builds guests and brings them up. */
export class Lab {
  readonly #workshop: Workshop;

  constructor(workshop: Workshop) {
    this.#workshop = workshop;
  }

  async up(options: UpOptions = {}): Promise<Guest> {
    const workshop = this.#workshop;
    const { disposable = true, durable = false } = options;
    const name = options.name ?? `guest-${randomBytes(4).toString('hex')}`;
    checkName(name);
    await sweep(workshop.places, workshop.log);
    // Said now, rather than after minutes of building.
    if (readRecord(workshop.places, name) !== undefined) throw alreadyUp(name);
    if (!workshop.places.root) workshop.log("not root: the guest gets QEMU's user networking, reachable by ssh only");

    if (options.boot === true) {
      const machine = await prepareMachine(workshop, options);
      const backing = { file: machine.image.disk, format: 'raw' } as const;
      return await step(workshop.log, `booting ${name} (${machine.kernel})`, () =>
        startGuest(workshop, { name, machine, backing, memory: { kind: 'anonymous' }, disposable, durable }),
      );
    }
    const state = options.state ?? (await this.#baseState(options));
    const files = filesOf(state);
    return await step(workshop.log, `resuming ${name} (${state.machine.kernel})`, () =>
      startGuest(workshop, {
        name,
        machine: state.machine,
        backing: { file: files.disk, format: 'qcow2' },
        memory: { kind: 'copied-on-write', file: files.ram },
        incoming: files.devices,
        disposable,
        durable,
      }),
    );
  }

  /** A running guest saved for later: from the cache, or made now. */
  async state(options: StateOptions): Promise<SavedState> {
    const { base = {}, key, prepare } = options;
    await sweep(this.#workshop.places, this.#workshop.log);
    const parent = 'folder' in base ? base : await this.#baseState(base);
    return await ensureState(this.#workshop, parent, { title: key, key, prepare });
  }

  async #baseState(options: BaseOptions): Promise<SavedState> {
    const workshop = this.#workshop;
    const machine = await prepareMachine(workshop, options);
    const plain = await ensureState(workshop, machine, { title: `settled ${machine.kernel}`, key: 'settled' });
    const segue = options.segue === false ? undefined : await buildSegue(workshop.log);
    if (segue === undefined) return plain;
    return await ensureState(workshop, plain, {
      title: `Segue ${segue.version} installed`,
      key: `segue ${segue.hash}`,
      prepare: (guest) => installSegue(guest, segue),
    });
  }

  /** A guest that is up, whoever brought it up. */
  guest(name: string): Guest {
    const record = readRecord(this.#workshop.places, name);
    if (record === undefined) {
      const others = this.list().map((guest) => guest.name);
      throw new LabError(`no guest named ${name} is up`, {
        hint: others.length === 0 ? `bring it up: npm run lab -- up --name ${name}` : `these are: ${others.join(', ')}`,
      });
    }
    return new Guest(this.#workshop.places, record);
  }

  /** All guests that are up. */
  list(): GuestRecord[] {
    const { places } = this.#workshop;
    return recordedNames(places)
      .flatMap((name) => readRecord(places, name) ?? [])
      .filter((record) => new Guest(places, record).running);
  }

  /** Clears away what killed labs left behind. */
  async sweep(): Promise<void> {
    await sweep(this.#workshop.places, this.#workshop.log);
  }
}

function alreadyUp(name: string): LabError {
  return new LabError(`a guest named ${name} is already up`, {
    hint: `give another name, or end that one: npm run lab -- down ${name}`,
  });
}

export function openLab(options: { mirror?: string; refresh?: boolean; log: Log }): Lab {
  return new Lab(openWorkshop(options));
}
