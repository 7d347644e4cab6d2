import { existsSync, readFileSync } from 'node:fs';
import { readJournal } from './journal.ts';

/** The upgrade that this boot is of. */
export interface Arrival {
  readonly id: string;
  readonly store: string;
  /** This boot is no jump: what boot/way-back has decided. */
  readonly wayBack?: { readonly way: string; readonly why: string };
}

/** What boot/way-back noted: `ID STORE WAY WHY`. */
export function wayBackOf(note: string): Arrival | undefined {
  const [, id, store, way, why] = /^([0-9A-Za-z-]+) (\/\S*) (restore|afresh|lost) ([^\n]*)/m.exec(note) ?? [];
  return id === undefined || store === undefined || way === undefined || why === undefined ? undefined : { id, store, wayBack: { way, why } };
}

/** `segue.upgrade=` and `segue.store=` of the running kernel's command line. */
export function jumpOf(commandLine: string): Arrival | undefined {
  // As boot/handover.sh reads it: the last one counts.
  const value = (name: string): string | undefined => commandLine.split(/[ \t\n]+/).findLast((word) => word.startsWith(name))?.slice(name.length);
  const id = value('segue.upgrade=') ?? '';
  return /^[0-9A-Za-z-]+$/.test(id) ? { id, store: value('segue.store=') ?? '/var/lib/segue' } : undefined;
}

const read = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '');

/** Undefined in every other boot. */
export const readArrival = (): Arrival | undefined => jumpOf(read('/proc/cmdline')) ?? wayBackOf(read('/run/segue/way-back'));

/** The id of the upgrade by which this kernel came to run, as long as it is not settled: units are as they are restored, and not their own. */
export function unsettledUpgrade(arrival = readArrival()): string | undefined {
  const events = arrival === undefined ? undefined : readJournal(arrival.store, arrival.id);
  return events === undefined || events.some(({ event }) => event === 'settled') ? undefined : arrival?.id;
}
