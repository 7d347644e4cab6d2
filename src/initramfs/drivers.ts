import { readFileSync, readlinkSync, existsSync, realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/** A device on the way from a disk or a network card up to the machine, which a driver has taken. */
export interface Driven {
  readonly path: string;
  /** `pci`, `virtio`, `scsi`, … */
  readonly bus: string;
  /** How any kernel finds a driver for it. */
  readonly alias: string | undefined;
  /** The name of the driver that it has now as a module, also when that is built in. */
  readonly module: string | undefined;
  /** The driver is not built in, but was loaded. */
  readonly loaded: boolean;
}

/** The devices on the way up from one, each with its driver; `sys` is where sysfs is mounted. */
export function driversAbove(device: string, sys = '/sys'): Driven[] {
  const found: Driven[] = [];
  const top = realpathSync(`${sys}/devices`);
  for (let path = realpathSync(device); path.startsWith(`${top}/`); path = dirname(path)) {
    if (!existsSync(`${path}/driver`)) continue;
    found.push({
      path: path.slice(top.length + 1),
      bus: basename(linkOf(`${path}/subsystem`) ?? ''),
      alias: textOf(`${path}/modalias`),
      module: basenameOf(linkOf(`${path}/driver/module`)),
      loaded: existsSync(`${path}/driver/module/initstate`),
    });
  }
  return found;
}

/** What to ask modprobe for: the device's own name for its driver, and the name of the one that it has now. */
export const namesOf = ({ alias, module }: Driven): string[] => [alias, module].filter((name) => name !== undefined);

/**
 * The first device for which a kernel seems to have no driver, going by the names that it does not know. It does not
 * know those either that are always built in, as of PCI bridges.
 */
export const undriven = (devices: readonly Driven[], unknown: readonly string[]): Driven | undefined =>
  devices.find((device) => device.loaded && namesOf(device).every((name) => unknown.includes(name)));

function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

const basenameOf = (path: string | undefined): string | undefined => (path === undefined ? undefined : basename(path));

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}
