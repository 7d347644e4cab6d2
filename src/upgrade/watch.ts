import { readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import * as z from 'zod';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { openJournal, tryToAppend } from '../store/journal.ts';
import { waitsForDisk } from '../tools/command.ts';
import { GUARD_DONE, GUARD_READY, type Alive, type GivenUp, type GuardOrder, type Leaving } from './guard.ts';
import { forgetBegun } from './begun.ts';
import { forgetPrepared, readPrepared } from './prepared.ts';
import { resumeOthers, thawAll, undo, type Undoable } from './undo.ts';

/**
 * Programs that are let end by themselves: CRIU, killed while its code is in a task, may leave the task without its
 * registers; a kexec that goes on takes the machine with it, and nothing may run again before.
 */
const LEFT_ALONE = ['criu', 'kexec'];
const LEFT_ALONE_MILLISECONDS = 600_000;
const KILLED_MILLISECONDS = 2000;
/**
 * A process that has said nothing for so long stands still: it waits for a server or a disk that does not answer, or was
 * stopped by signal. A disk is waited for as long while everything stands still (SYNC_SECONDS in src/plan/plan.ts).
 */
const SILENT_SECONDS = 60;
/** Nobody is to stand still for longer because the disk takes no word of it. */
const NOTE_SECONDS = 1;

/** The guard of an upgrade: reads what is begun, and undoes it when the upgrade gives up, or its process is gone or stands still. */
export async function watch(input: NodeJS.ReadableStream, say: (word: string) => void, silentSeconds = SILENT_SECONDS): Promise<void> {
  let order: GuardOrder | undefined;
  let why: string | undefined;
  const begun: Undoable[] = [];
  // In seconds that this process has seen: a machine that was suspended has stopped both.
  let silent = 0;
  const still = new AbortController();
  const clock = setInterval(() => {
    silent += 1;
    if (silent > silentSeconds) still.abort();
  }, 1000);
  clock.unref();
  for await (const line of createInterface({ input, signal: still.signal })) {
    silent = 0;
    const message = parseMessage(line);
    if (message === undefined) break; // torn: its writer was killed, and what it announced did not begin
    if ('id' in message) {
      order = message;
      say(GUARD_READY);
    } else if ('leaving' in message) {
      say(GUARD_DONE);
      return;
    } else if ('givingUp' in message) why = message.givingUp;
    else if (!('alive' in message)) begun.push(message);
  }
  clearInterval(clock);
  if (order === undefined) return;
  const end = still.signal.aborted ? 'its process stood still' : 'its process was killed';
  // It does not go on with this however soon what it waits for is there.
  if (still.signal.aborted) kill(order.pid);

  if (why === undefined) await tryToAppend(order, { event: 'giving-up', why: end }, NOTE_SECONDS);
  await endCommands(order, {
    // CRIU freezes again what it lets go, and may have much to read still.
    meanwhile: () => thawAll(begun),
    slow: (programs) => resumeOthers(begun, programs),
  });
  const outcome = await undo(begun, why ?? end);
  try {
    openJournal(order.store, order.id, order.kernel).append(outcome);
  } catch {
    // It is done all the same; `segue status` tells that nobody is at it any more.
  }
  // It may have been prepared only: nobody goes on with it.
  if (readPrepared()?.id === order.id) forgetPrepared();
  forgetBegun(order.id);
  say(GUARD_DONE);
}

/** An Action is what src/model/step.ts says; whoever carries it out fails for one that makes no sense. */
const Message = z.union([
  z.object({ id: z.string(), store: z.string(), kernel: z.string(), pid: z.int().positive(), controlGroup: z.string() }),
  z.object({ givingUp: z.string() }),
  z.object({ leaving: z.literal(true) }),
  z.object({ alive: z.literal(true) }),
  z.object({ title: z.string(), unit: z.string().optional(), undo: z.looseObject({ kind: z.string() }) }),
]);

export function parseMessage(line: string): GuardOrder | GivenUp | Leaving | Alive | Undoable | undefined {
  try {
    const message = Message.safeParse(JSON.parse(line));
    return message.success ? (message.data as GuardOrder | GivenUp | Leaving | Alive | Undoable) : undefined;
  } catch {
    return undefined;
  }
}

interface Wait {
  /** Again and again, unless kexec is waited for. */
  readonly meanwhile: () => Promise<void>;
  /** Told once of those that are waited for, unless it is kexec, if they take long. */
  readonly slow: (programs: readonly number[]) => Promise<void>;
}

/** Ends the commands that a killed upgrade has left running. */
async function endCommands({ controlGroup, pid: upgrade }: GuardOrder, { slow, meanwhile }: Wait): Promise<void> {
  const began = performance.now();
  for (let told = false; ;) {
    const pids = read(`/sys/fs/cgroup${controlGroup}/cgroup.procs`).split('\n').map(Number).filter((pid) => pid > 0 && pid !== upgrade);
    if (pids.length === 0) return;
    const waited = performance.now() - began;
    const leftAlone = waited > LEFT_ALONE_MILLISECONDS ? [] : pids.filter((pid) => LEFT_ALONE.includes(programOf(pid)));
    for (const pid of pids) if (!leftAlone.includes(pid)) kill(pid);
    // Whoever waits in the kernel for a disk that does not answer ends when that does, and does nothing any more.
    if (waited > KILLED_MILLISECONDS && leftAlone.length === 0 && pids.every(waitsForDisk)) return;
    if (leftAlone.every((pid) => programOf(pid) === 'criu')) {
      await meanwhile();
      if (waited > KILLED_MILLISECONDS && !told) {
        told = true;
        await slow(leftAlone);
      }
    }
    await sleep(20);
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // a cgroup without processes is removed
  }
}

function programOf(pid: number): string {
  try {
    return basename(readlinkSync(`/proc/${pid.toString()}/exe`));
  } catch {
    return '';
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
