import { promises as fs, readFileSync } from 'node:fs';
import { failed, ok, type Result } from '../failure/result.ts';
import { handoverPaths } from '../model/handover.ts';
import { openJournal, upgradeIds } from '../store/journal.ts';
import { storeAt } from '../store/store.ts';
import { runningKernel } from '../survey/machine.ts';
import { run } from '../tools/command.ts';

/** Wipes kept images when their time has come, also after a reboot; enabled for as long as there are some. */
const TIMER = 'segue-forget.timer';

const DAY_MILLISECONDS = 86_400_000;

/** Beside the hand-over: until when its images are kept, RFC 3339. */
const noteOf = (store: string, id: string): string => `${handoverPaths(store, id).upgrade}/keep-until`;

/** Keeps what is left in the container for so many days. */
export async function keepImages(store: string, id: string, days: number): Promise<void> {
  await fs.writeFile(noteOf(store, id), `${new Date(Date.now() + days * DAY_MILLISECONDS).toISOString()}\n`, { mode: 0o600 });
  await run(['systemctl', 'enable', '--quiet', '--now', TIMER]);
}

/** Until when images of an upgrade are kept; undefined when there are none. */
export function keptUntil(store: string, id: string): Date | undefined {
  try {
    return new Date(readFileSync(noteOf(store, id), 'utf8').trim());
  } catch {
    return undefined;
  }
}

/** Their time is over; or nobody can read them any more, as what that needs was in the memory of a kernel that is gone. */
const isDue = async (store: string, id: string, until: Date): Promise<boolean> => !(await storeAt(store, id).isReadable()) || !(until.getTime() > Date.now());

/** Wipes kept images: those of one upgrade, or of all, or those whose time has come. Gives the ids of these upgrades. */
export async function forget(store: string, which: { readonly id?: string; readonly due: boolean }): Promise<Result<string[]>> {
  const ids = upgradeIds(store);
  if (!ids.ok) return ids;
  const kept = ids.value.flatMap((id) => {
    const until = keptUntil(store, id);
    return until === undefined ? [] : [{ id, until }];
  });
  if (which.id !== undefined && !kept.some(({ id }) => id === which.id)) return failed({ reason: 'nothing-kept', id: which.id });
  const forgotten: string[] = [];
  for (const { id, until } of kept) {
    if ((which.id !== undefined && which.id !== id) || (which.due && !(await isDue(store, id, until)))) continue;
    const wiped = await storeAt(store, id).wipe();
    if (!wiped.ok) return wiped;
    await fs.rm(noteOf(store, id));
    openJournal(store, id, runningKernel()).append({ event: 'forgotten' });
    forgotten.push(id);
  }
  if (forgotten.length === kept.length) await run(['systemctl', 'disable', '--quiet', '--now', TIMER]);
  return ok(forgotten);
}
