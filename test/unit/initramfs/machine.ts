import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Places } from '../../../src/initramfs/root.ts';

export interface FakeDevice {
  readonly bus: string;
  readonly alias?: string;
  readonly module?: string;
  readonly loaded?: boolean;
}

/** Below /sys/devices: the lab guest's disk and its network card, as its kernel shows them. */
const DISK = 'pci0000:00/0000:00:02.0/virtio0';
const CARD = 'pci0000:00/0000:00:03.0/virtio1';
const DEVICES: Readonly<Record<string, FakeDevice>> = {
  'pci0000:00/0000:00:02.0': { bus: 'pci', alias: 'pci:v00001AF4d00001001sv00001AF4sd00000002bc01sc00i00', module: 'virtio_pci' },
  [DISK]: { bus: 'virtio', alias: 'virtio:d00000002v00001AF4', module: 'virtio_blk', loaded: true },
  'pci0000:00/0000:00:03.0': { bus: 'pci', alias: 'pci:v00001AF4d00001000sv00001AF4sd00000001bc02sc00i00', module: 'virtio_pci' },
  [CARD]: { bus: 'virtio', alias: 'virtio:d00000001v00001AF4', module: 'virtio_net', loaded: true },
};

/** A /sys and a /proc in which a machine is described. */
export class FakeMachine implements Disposable, Places {
  readonly #folder = mkdtempSync(join(tmpdir(), 'segue-initramfs-'));
  readonly sys = join(this.#folder, 'sys');
  readonly proc = join(this.#folder, 'proc');

  constructor(mountinfo: string) {
    this.write('proc/self/mountinfo', mountinfo);
    this.write('proc/fs/jbd2/vda-8/info', '');
    this.write('sys/fs/ext4/vda/errors_count', '0\n');
    for (const [path, device] of Object.entries(DEVICES)) this.drive(path, device);
    this.disk('254:0', `${DISK}/block/vda`);
    mkdirSync(join(this.sys, 'devices', CARD, 'net/ens3'), { recursive: true });
    this.link('sys/class/net/ens3', join(this.sys, 'devices', CARD, 'net/ens3'));
    this.link(`sys/devices/${CARD}/net/ens3/device`, join(this.sys, 'devices', CARD));
  }

  write(path: string, content: string): void {
    mkdirSync(dirname(join(this.#folder, path)), { recursive: true });
    writeFileSync(join(this.#folder, path), content);
  }

  link(path: string, target: string): void {
    mkdirSync(dirname(join(this.#folder, path)), { recursive: true });
    symlinkSync(target, join(this.#folder, path));
  }

  /** A device below /sys/devices that a driver has taken. */
  drive(path: string, { bus, alias, module, loaded = false }: FakeDevice): void {
    const device = `sys/devices/${path}`;
    const driver = `sys/bus/${bus}/drivers/of-${path.replaceAll('/', '-')}`;
    mkdirSync(join(this.#folder, device), { recursive: true });
    mkdirSync(join(this.#folder, driver), { recursive: true });
    if (alias !== undefined) this.write(`${device}/modalias`, `${alias}\n`);
    this.link(`${device}/subsystem`, `/sys/bus/${bus}`);
    this.link(`${device}/driver`, join(this.#folder, driver));
    if (module === undefined) return;
    mkdirSync(join(this.sys, 'module', module), { recursive: true });
    this.link(`${driver}/module`, join(this.sys, 'module', module));
    if (loaded) this.write(`sys/module/${module}/initstate`, 'live\n');
  }

  disk(number: string, path: string): void {
    mkdirSync(join(this.sys, 'devices', path), { recursive: true });
    this.link(`sys/dev/block/${number}`, join(this.sys, 'devices', path));
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }
}
