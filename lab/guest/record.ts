import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { LabError, UsageError } from '../errors.js';
import type { Places } from '../paths.js';

const Identity = z.object({ pid: z.number(), startTime: z.string() });

const Record = z.object({
  name: z.string(),
  /** RFC 3339. */
  createdAt: z.string(),
  /** Whose end is this guest's end too: the lab that is still starting it, or a test it is for. */
  owner: Identity.optional(),
  qemu: Identity.optional(),
  namespace: z.string().optional(),
  sshPort: z.number().optional(),
  sshKey: z.string(),
  console: z.string(),
  /** Holds the guest's disk, on real storage: the runtime folder is RAM. */
  diskFolder: z.string(),
  kernel: z.string(),
  memory: z.number(),
  accelerator: z.enum(['kvm', 'tcg']),
});

/** What is noted down of a guest while it exists, for other processes to find it by. */
export type GuestRecord = z.infer<typeof Record>;

const NAME = /^[a-z0-9][a-z0-9-]{0,30}$/;

export function checkName(name: string): void {
  if (NAME.test(name)) return;
  throw new UsageError(`${JSON.stringify(name)} cannot be the name of a guest`, {
    hint: 'use up to 31 lower-case letters, digits and hyphens',
  });
}

export function recordFolder(places: Places, name: string): string {
  return join(places.runtime, name);
}

/** Claims the name. The folder appears with its record inside, or not at all, whoever else tries the same. */
export function claimName(places: Places, record: GuestRecord): void {
  mkdirSync(places.runtime, { recursive: true, mode: 0o755 });
  const claim = join(places.runtime, `.${record.name}.${process.pid}`);
  rmSync(claim, { recursive: true, force: true });
  mkdirSync(claim, { mode: 0o700 });
  writeFileSync(join(claim, 'guest.json'), JSON.stringify(record));
  try {
    renameSync(claim, recordFolder(places, record.name));
  } catch (cause) {
    rmSync(claim, { recursive: true, force: true });
    throw new LabError(`a guest named ${record.name} is already up`, {
      hint: `give another name, or end that one: npm run lab -- down ${record.name}`,
      ...(isTaken(cause) ? {} : { cause }),
    });
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOTEMPTY' || error.code === 'EEXIST');
}

export function writeRecord(places: Places, record: GuestRecord): void {
  const file = join(recordFolder(places, record.name), 'guest.json');
  writeFileSync(`${file}.new`, JSON.stringify(record));
  renameSync(`${file}.new`, file);
}

export function readRecord(places: Places, name: string): GuestRecord | undefined {
  try {
    return Record.parse(JSON.parse(readFileSync(join(recordFolder(places, name), 'guest.json'), 'utf8')));
  } catch {
    return undefined;
  }
}

/** The names of all guests, dead ones that nobody swept away yet among them. */
export function recordedNames(places: Places): string[] {
  try {
    return readdirSync(places.runtime).filter((name) => NAME.test(name)).sort();
  } catch {
    return [];
  }
}
