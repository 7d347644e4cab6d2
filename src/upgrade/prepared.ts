import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import * as z from 'zod';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Failure } from '../failure/failure.ts';
import { failed, ok, type Result } from '../failure/result.ts';
import type { WayBackPolicy } from '../model/handover.ts';
import { run, runOk } from '../tools/command.ts';
import { isActive } from '../tools/systemctl.ts';

/** Keeps the snapshots of a prepared upgrade fresh; survives the loss of the terminal that began it. */
export const KEEPER = 'segue-prepare.service';
/** In /run: what was prepared counts for this boot. */
const FILE = '/run/segue/prepared.json';

/** An upgrade that is prepared: `segue upgrade` goes on with it. */
export const Prepared = z.object({ id: z.string(), store: z.string(), ram: z.boolean(), to: z.string(), afresh: z.array(z.string()), wayBack: z.enum(['restore', 'afresh']).optional(), keepImages: z.number(), everySeconds: z.number() });
export interface Prepared {
  readonly id: string;
  readonly store: string;
  /** Whether the images may be in memory. */
  readonly ram: boolean;
  readonly to: string;
  readonly afresh: readonly string[];
  readonly wayBack?: WayBackPolicy | undefined;
  readonly keepImages: number;
  /** How often it is looked whose snapshot is out of date. */
  readonly everySeconds: number;
}

export function readPrepared(): Prepared | undefined {
  try {
    return Prepared.safeParse(JSON.parse(readFileSync(FILE, 'utf8'))).data;
  } catch {
    return undefined;
  }
}

export function writePrepared(prepared: Prepared): void {
  mkdirSync(dirname(FILE), { recursive: true, mode: 0o755 });
  writeFileSync(FILE, JSON.stringify(prepared), { mode: 0o644 });
}

export const forgetPrepared = (): void => { rmSync(FILE, { force: true }); };

export const isKept = (): Promise<boolean> => isActive(KEEPER);

/** Starts the keeper in a service of its own; it reads what to keep from the file. */
export async function startKeeper(): Promise<Result<undefined>> {
  const started = await runOk(['systemd-run', '--quiet', '--collect', `--unit=${KEEPER}`, '--service-type=exec', '--property=OOMScoreAdjust=-1000', '--property=KillMode=process', '--property=TimeoutStopSec=infinity', '--', process.execPath, process.argv[1] ?? '', 'keep']);
  return started.ok ? ok(undefined) : started;
}

/**
 * Has the keeper end: SIGUSR1 with all snapshots as they are, SIGTERM with everything undone, also after the former. It finishes
 * what it is at: a moment, mostly, but CRIU may take as long as it takes to read the memory. `interrupted` is asked meanwhile.
 */
export async function endKeeper(signal: 'SIGUSR1' | 'SIGTERM', interrupted: () => Failure | undefined = () => undefined): Promise<Result<undefined>> {
  const tell = (name: string) => run(['systemctl', 'kill', '--kill-whom=main', `--signal=${name}`, KEEPER]);
  await tell(signal);
  // Its unit is unloaded at its end.
  while (await isKept()) {
    const failure = interrupted();
    if (failure !== undefined) {
      await tell('SIGTERM');
      return failed(failure);
    }
    await sleep(100);
  }
  return ok(undefined);
}
