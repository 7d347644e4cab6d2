import { existsSync } from 'node:fs';
import { mkdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheKey } from '../cache-key.js';
import type { Guest } from '../guest/guest.js';
import { dropConnection } from '../guest/ssh.js';
import { recordFolder } from '../guest/record.js';
import { diskOf, quit, startGuest } from '../guest/start.js';
import { withLock } from '../host/lock.js';
import { run } from '../host/run.js';
import { step } from '../log.js';
import { processorOf, type Machine } from '../machine.js';
import { Qmp, saveDevices } from '../qemu/qmp.js';
import type { Workshop } from '../workshop.js';
import { pruneStates } from './prune.js';
import { settle } from './settle.js';

/** Change it when states saved by older code can no longer be used. */
const RECIPE = 2;

/** A running guest, saved: any number of guests go on from it. */
export interface SavedState {
  readonly key: string;
  readonly machine: Machine;
  readonly folder: string;
}

export interface Layer {
  /** What the state holds, for people. */
  readonly title: string;
  /** What the state holds, for the cache: another key, another state. */
  readonly key: string;
  readonly prepare?: (guest: Guest) => Promise<void>;
}

/** The files of a state. The RAM is mapped, not read: guests share what they do not change. */
export function filesOf(state: { folder: string }): { ram: string; devices: string; disk: string } {
  return {
    ram: join(state.folder, 'ram'),
    devices: join(state.folder, 'devices'),
    disk: join(state.folder, 'disk.qcow2'),
  };
}

/** The state with this layer on its base (or on a machine booted afresh), from the cache or made now. */
export async function ensureState(workshop: Workshop, base: Machine | SavedState, layer: Layer): Promise<SavedState> {
  const parent = 'machine' in base ? base : undefined;
  const machine = 'machine' in base ? base.machine : base;
  const key = cacheKey({
    RECIPE,
    layer: layer.key,
    parent: parent?.key ?? machine.image.key,
    hardware: { ...machine.hardware, kernel: machine.kernel, initrd: undefined },
    processor: processorOf(machine.hardware),
    qemu: machine.qemu.version,
  });
  const states = join(workshop.places.cache, 'states');
  const state: SavedState = { key, machine, folder: join(states, key) };
  if (existsSync(state.folder)) {
    const now = new Date();
    await utimes(state.folder, now, now);
    return state;
  }
  await withLock(join(states, `${key}.lock`), workshop.log, async () => {
    if (existsSync(state.folder)) return;
    await step(workshop.log, `saving a running guest: ${layer.title}`, () => make(workshop, state, parent, layer));
    await pruneStates(states, workshop.log);
  });
  return state;
}

async function make(workshop: Workshop, state: SavedState, parent: SavedState | undefined, layer: Layer): Promise<void> {
  const unfinished = { folder: `${state.folder}.unfinished` };
  const files = filesOf(unfinished);
  await rm(unfinished.folder, { recursive: true, force: true });
  await mkdir(unfinished.folder, { recursive: true });
  const memory = { kind: 'written', file: files.ram } as const;
  const common = { name: `state-${state.key}`, machine: state.machine, memory, disposable: true };
  let guest: Guest;
  if (parent === undefined) {
    guest = await step(workshop.log, `booting ${state.machine.kernel}`, () =>
      startGuest(workshop, { ...common, backing: { file: state.machine.image.disk, format: 'raw' } }),
    );
  } else {
    await run('cp', ['--sparse=always', filesOf(parent).ram, files.ram]);
    guest = await startGuest(workshop, {
      ...common,
      backing: { file: filesOf(parent).disk, format: 'qcow2' },
      incoming: filesOf(parent).devices,
    });
  }
  try {
    await layer.prepare?.(guest);
    await settle(guest, workshop.log);
    await dropConnection(guest.ssh);
    // The guest ends its side of the connection, so that no half-open one is saved.
    await sleep(1000);
    using qmp = await Qmp.connect(join(recordFolder(workshop.places, guest.name), 'qmp'), () => guest.running);
    await saveDevices(qmp, files.devices);
    await quit(qmp, guest.record, () => guest.running);
    await rename(diskOf(guest.record), files.disk);
    await writeFile(join(unfinished.folder, 'parent'), parent?.key ?? '');
    // Pages of zeroes need no space.
    await run('fallocate', ['--dig-holes', files.ram]);
    await rename(unfinished.folder, state.folder);
  } finally {
    await guest.down();
  }
}
