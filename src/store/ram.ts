import { promises as fs } from 'node:fs';
import { dirname } from 'node:path';
import { failed, ok, type Result } from '../failure/result.ts';
import { display } from '../tools/command.ts';
import { spellRegion } from '../tools/memmap.ts';
import { isMounted, unmount } from '../tools/mount.ts';
import { contentOf, findDevice, makeAndMount, makeCommand, mountCommand, noteOf, reopen, zero, zeroCommand, type RamPlace } from '../tools/pmem.ts';
import type { Store } from './store.ts';

/** As a rule; which one it is, is found out by its address. */
const DEVICE = '/dev/pmem0';

/** A piece of the machine's memory that the next kernel leaves alone (docs/stores.md). Without power nothing is left of it. */
export const ram = (place: RamPlace): Store => ({
  async open() {
    // Whether images may be used on the way back can have changed since it was prepared.
    const takeNote = async (): Promise<void> => {
      await fs.mkdir(dirname(place.note), { recursive: true, mode: 0o700 });
      await fs.writeFile(place.note, noteOf(place), { mode: 0o600 });
    };
    if (await isMounted(place.folder)) {
      await takeNote();
      return ok(undefined);
    }
    const device = await findDevice(place.region);
    // Once more, right before it is written to: others may have come since it was looked at.
    const refused = (why: string): Result<undefined> => failed({ reason: 'step-failed', step: 'make the store in memory', error: `the region ${spellRegion(place.region)} ${why}` });
    if (device === undefined) return refused('is not there');
    const content = await contentOf(device);
    if (content.kind === 'foreign') return refused(`holds ${content.what}`);
    await takeNote();
    return makeAndMount(device, place);
  },
  opening: () => [
    `echo '${noteOf(place).trim()}' >${display([place.note])} # ${DEVICE} is the region ${spellRegion(place.region)}`,
    display(makeCommand(DEVICE, place)),
    `mkdir -m 0700 ${display([place.folder])} && ${display(mountCommand(DEVICE, place))}`,
  ],
  wiping: () => [`umount ${display([place.folder])}`, display(zeroCommand(DEVICE)), `rm -rf ${display([place.folder, place.note])}`],
  // Whoever writes to it does all of the work.
  setNice: () => Promise.resolve(),
  settingNice: () => ':',
  reopen: () => reopen(place),
  isReadable: () => isMounted(place.folder),
  forgetKey: () => Promise.resolve(),
  async wipe() {
    const unmounted = await unmount(place.folder);
    if (!unmounted.ok) return unmounted;
    const device = await findDevice(place.region);
    // In a kernel that was not told of the region it is memory like any other, and in use.
    const content = device === undefined ? undefined : await contentOf(device);
    // Another upgrade may be in it by now.
    const own = content?.kind === 'nothing' || (content?.kind === 'upgrade' && content.id === place.id);
    if (device !== undefined && own) {
      const zeroed = await zero(device);
      if (!zeroed.ok) return zeroed;
    }
    await fs.rm(place.folder, { recursive: true, force: true });
    await fs.rm(place.note, { force: true });
    return ok(undefined);
  },
});
