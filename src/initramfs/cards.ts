import { existsSync, readdirSync } from 'node:fs';
import { firmwareOf, modulesFor, type Module } from '../tools/modprobe.ts';
import { driversAbove, namesOf, undriven } from './drivers.ts';

/**
 * The modules of the network cards, so that what must be done before the first packet comes in can be done early. A card
 * that is beyond us (USB, firmware, another name on that kernel) is left to udev, as in every boot.
 */
export async function cardModules(release: string, sys: string): Promise<Module[]> {
  const modules = new Map<string, Module>();
  for (const name of existsSync(`${sys}/class/net`) ? readdirSync(`${sys}/class/net`).sort() : []) {
    if (!existsSync(`${sys}/class/net/${name}/device`)) continue;
    const devices = driversAbove(`${sys}/class/net/${name}/device`, sys);
    if (devices.some(({ bus }) => bus === 'usb')) continue;
    const { inserts, unknown, strange } = await modulesFor(release, devices.flatMap(namesOf));
    if (strange.length > 0 || undriven(devices, unknown) !== undefined || (await firmwareOf(inserts)).length > 0) continue;
    for (const module of inserts) modules.set(module.path, module);
  }
  return [...modules.values()];
}
