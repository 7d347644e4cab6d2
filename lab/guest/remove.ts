import { readFileSync, rmSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { endProcess, identify, isAlive, killNow } from '../host/process.js';
import type { Log } from '../log.js';
import { deleteNamespace, deleteNamespaceNow, listNamespaces, namespaceOf, processesIn } from '../net/namespace.js';
import type { Places } from '../paths.js';
import { forget } from './owned.js';
import { readRecord, recordedNames, recordFolder, type GuestRecord } from './record.js';

/** Ends a guest and everything that was made for it. The record goes last, so that nothing is ever forgotten. */
export async function removeGuest(places: Places, record: GuestRecord): Promise<void> {
  await endProcess(record.qemu);
  forget(record.name);
  if (record.namespace !== undefined) await deleteNamespace(record.namespace);
  rmSync(record.diskFolder, { recursive: true, force: true });
  rmSync(recordFolder(places, record.name), { recursive: true, force: true });
}

/** The same without waiting, for exit handlers. */
export function removeGuestNow(places: Places, record: GuestRecord): void {
  killNow(record.qemu);
  if (record.namespace !== undefined) deleteNamespaceNow(record.namespace);
  rmSync(record.diskFolder, { recursive: true, force: true });
  rmSync(recordFolder(places, record.name), { recursive: true, force: true });
}

/**
 * Clears away what labs that were killed left behind: guests whose QEMU or whose owner is gone, and
 * namespaces, disks and claims that belong to no guest.
 */
export async function sweep(places: Places, log: Log): Promise<void> {
  for (const name of recordedNames(places)) {
    const record = readRecord(places, name);
    if (record !== undefined && isWanted(record)) continue;
    log(`clearing away what is left of guest ${name}`);
    if (record === undefined) rmSync(recordFolder(places, name), { recursive: true, force: true });
    else {
      // A lab killed between starting QEMU and noting its number: QEMU noted it too.
      const noted = Number(read(join(recordFolder(places, name), 'qemu.pid')));
      await removeGuest(places, { ...record, qemu: record.qemu ?? (noted > 0 ? identify(noted) : undefined) });
    }
  }
  sweepClaims(places);
  if (!places.root) return;
  for (const name of await listNamespaces()) {
    if (readRecord(places, name) !== undefined) continue;
    for (const pid of await processesIn(namespaceOf(name))) killNow(identify(pid));
    await deleteNamespace(namespaceOf(name));
  }
}

function isWanted(record: GuestRecord): boolean {
  if (record.owner !== undefined) return isAlive(record.owner);
  return isAlive(record.qemu);
}

function sweepClaims(places: Places): void {
  try {
    for (const file of readdirSync(places.runtime)) {
      const pid = /^\.[a-z0-9-]+\.(\d+)$/.exec(file)?.[1];
      if (pid !== undefined && identify(Number(pid)) === undefined) {
        rmSync(join(places.runtime, file), { recursive: true, force: true });
      }
    }
  } catch {
    // There is no runtime folder yet.
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
