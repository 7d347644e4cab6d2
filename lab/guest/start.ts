import { mkdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { endProcess, isAlive, thisProcess } from '../host/process.js';
import { run } from '../host/run.js';
import { kernelFiles, type Machine } from '../machine.js';
import { createNamespace, namespaceOf } from '../net/namespace.js';
import { qemuArguments, type Memory } from '../qemu/command-line.js';
import { launchFailure, launchQemu } from '../qemu/launch.js';
import { Qmp, resumeDevices } from '../qemu/qmp.js';
import type { Workshop } from '../workshop.js';
import { Guest, type GuestStarter } from './guest.js';
import { keepTrack, forget } from './owned.js';
import { checkName, claimName, readRecord, recordFolder, writeRecord, type GuestRecord } from './record.js';
import { removeGuest, removeGuestNow } from './remove.js';

export interface StartOptions {
  readonly name: string;
  readonly machine: Machine;
  /** The disk that is read where the guest has not written yet. */
  readonly backing: { readonly file: string; readonly format: 'raw' | 'qcow2' };
  readonly memory: Memory;
  readonly incoming?: string;
  /** See Guest.cutPower. */
  readonly durable?: boolean;
  /** The guest ends with this process. */
  readonly disposable: boolean;
}

/** Starts a guest and waits until it answers; whatever fails, nothing of it is left. */
export async function startGuest(workshop: Workshop, options: StartOptions): Promise<Guest> {
  const { name, machine } = options;
  const { places } = workshop;
  checkName(name);
  let record: GuestRecord = {
    name,
    createdAt: new Date().toISOString(),
    owner: thisProcess(),
    ...(places.root ? { namespace: namespaceOf(name) } : { sshPort: await freePort() }),
    sshKey: workshop.sshKey,
    console: join(recordFolder(places, name), 'console'),
    diskFolder: join(places.cache, 'guests', name),
    kernel: machine.kernel,
    memory: machine.hardware.memory,
    accelerator: machine.hardware.accelerator,
  };
  claimName(places, record);
  keepTrack(name, () => removeGuestNow(places, readRecord(places, name) ?? record));
  try {
    if (record.namespace !== undefined) await createNamespace(record.namespace);
    await rm(record.diskFolder, { recursive: true, force: true });
    await mkdir(record.diskFolder, { recursive: true });
    const { file, format } = options.backing;
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', file, '-F', format, diskOf(record)]);
    const starter = new Starter(workshop, options);
    record = await starter.launch(record, { memory: options.memory, incoming: options.incoming });
    const guest = new Guest(places, record, options.durable === true ? starter : undefined);
    await guest.waitForSsh();
    if (options.incoming !== undefined) await setClock(guest);
    if (!options.disposable) release(workshop, record);
    return guest;
  } catch (error) {
    // The noted one knows of QEMU, even if that failed half-way.
    await removeGuest(places, readRecord(places, name) ?? record);
    throw error;
  }
}

export function diskOf(record: GuestRecord): string {
  return join(record.diskFolder, 'disk.qcow2');
}

/** From here on the guest stays when this process ends. */
function release(workshop: Workshop, record: GuestRecord): void {
  const { owner: _, ...released } = record;
  writeRecord(workshop.places, released);
  forget(record.name);
}

/** It stood still while the guest was a file. */
async function setClock(guest: Guest): Promise<void> {
  await guest.exec(`date -s @${(Date.now() / 1000).toFixed(3)}`);
}

class Starter implements GuestStarter {
  readonly #workshop: Workshop;
  readonly #options: StartOptions;

  constructor(workshop: Workshop, options: StartOptions) {
    this.#workshop = workshop;
    this.#options = options;
  }

  async launch(
    record: GuestRecord,
    from: { memory: Memory; incoming?: string | undefined; kernel?: string | undefined },
  ): Promise<GuestRecord> {
    const { places } = this.#workshop;
    const { machine, durable, disposable } = this.#options;
    const folder = recordFolder(places, record.name);
    const kernel = from.kernel ?? machine.kernel;
    const qmp = join(folder, 'qmp');
    const log = join(folder, 'qemu.log');
    const qemu = await launchQemu({
      binary: machine.qemu,
      args: qemuArguments({
        hardware: { ...machine.hardware, ...kernelFiles(machine.image, kernel) },
        memory: from.memory,
        disk: diskOf(record),
        flushes: durable ?? false,
        waits: from.incoming !== undefined,
        console: record.console,
        qmp,
        pidFile: join(folder, 'qemu.pid'),
        sshPort: record.sshPort,
      }),
      folders: [places.cache, places.runtime],
      namespace: record.namespace,
      tied: disposable,
      root: places.root,
      log,
    });
    const launched = { ...record, qemu, kernel };
    writeRecord(places, launched);
    if (from.incoming !== undefined) {
      const alive = (): boolean => isAlive(qemu);
      try {
        using monitor = await Qmp.connect(qmp, alive);
        await resumeDevices(monitor, from.incoming);
      } catch (cause) {
        throw alive() ? cause : await launchFailure(log);
      }
    }
    return launched;
  }

  async cutPower(record: GuestRecord): Promise<void> {
    await endProcess(record.qemu);
  }

  async powerOn(record: GuestRecord, kernel: string | undefined): Promise<GuestRecord> {
    await endProcess(record.qemu);
    return await this.launch(record, { memory: { kind: 'anonymous' }, kernel });
  }
}

/** Asks QEMU to end itself, with everything written out. */
export async function quit(qmp: Qmp, record: GuestRecord, alive: () => boolean): Promise<void> {
  // The connection may close before the answer comes.
  await qmp.execute('quit').catch(() => undefined);
  for (let i = 0; i < 500 && alive(); i++) await new Promise((resolve) => setTimeout(resolve, 20));
  await endProcess(record.qemu);
}

/** A port of the host that is free now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
