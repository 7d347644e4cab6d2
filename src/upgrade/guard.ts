import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { failed, ok, type Result } from '../failure/result.ts';
import { write } from '../park/write.ts';
import type { Journal } from '../store/journal.ts';
import { ownScope, serviceCommand } from '../tools/systemd-run.ts';
import { attempt } from './act.ts';
import { begunFile, forgetBegun } from './begun.ts';
import { undo, type Undoable } from './undo.ts';

/** Whoever undoes an upgrade that is given up. */
export interface Guard {
  /** Called before a step takes effect, which it may when this has resolved. */
  begins(step: Undoable): Promise<void>;
  /** Undoes what was begun; resolves when the machine is as before. */
  giveUp(why: string): Promise<void>;
}

/** What the guard is told first, one JSON object on a line; an Undoable a line follows, and perhaps why it ends. */
export interface GuardOrder {
  readonly id: string;
  readonly store: string;
  readonly kernel: string;
  /** The upgrade's process, and the cgroup in which it and all that it starts are. */
  readonly pid: number;
  readonly controlGroup: string;
}
export interface GivenUp {
  readonly givingUp: string;
}
export interface Leaving {
  readonly leaving: true;
}

/** Said again and again: whoever stands still himself lets nobody go on. */
export interface Alive {
  readonly alive: true;
}
const ALIVE_EVERY_MILLISECONDS = 5000;

/** The guard's only words, each on a line. */
export const GUARD_READY = 'ready';
export const GUARD_DONE = 'done';

export interface GuardProcess extends Guard {
  /** It has ended before the upgrade did: nobody would undo the next step. */
  readonly gone: boolean;
  /** Ends it, with nothing undone: whoever goes on begins anew what could be undone. */
  leave(): Promise<void>;
}

/**
 * Starts the guard: a process in a service of its own (`segue guard`), which is told of every step through a pipe and
 * sees that pipe end when this process does, however it does. What was written into it outlives the writer, so nothing
 * that was begun is unknown to it. Should it be killed, too, systemd has a third undo what the file of all that was begun names
 * (`segue undo`).
 */
export async function startGuard(journal: Journal, order: Omit<GuardOrder, 'pid' | 'controlGroup'>): Promise<Result<GuardProcess>> {
  const scope = await ownScope(`segue-upgrade-${order.id}.scope`);
  if (!scope.ok) return scope;
  const whole: GuardOrder = { ...order, pid: process.pid, controlGroup: scope.value };
  const noted = await attempt({ title: 'note what is begun' }, async () => {
    await write(begunFile(order.id), `${JSON.stringify(whole)}\n`);
    return ok(undefined);
  });
  if (!noted.ok) return noted;
  const [file = '', ...args] = serviceCommand(`segue-guard-${order.id}.service`, [process.execPath, process.argv[1] ?? '', 'guard'], [`OnFailure=segue-undo@${order.id}.service`]);
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  let gone = false;
  let said = '';
  const ended = new Promise<undefined>((resolve) => {
    child.once('error', () => { gone = true; resolve(undefined); });
    child.once('exit', () => { gone = true; });
    child.once('close', () => { resolve(undefined); }); // its last words have been read
  });
  child.stderr.on('data', (data: Buffer) => { said += data.toString(); });
  child.stdin.on('error', () => { gone = true; });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = (): Promise<string | undefined> => Promise.race([ended, lines.next().then(({ value, done }) => (done === true ? undefined : value))]);

  /** Resolves when the kernel has it, or nobody reads it any more. */
  const tell = (message: GuardOrder | Undoable | GivenUp | Leaving | Alive): Promise<void> => new Promise((resolve) => { child.stdin.write(`${JSON.stringify(message)}\n`, () => { resolve(); }); });
  await tell(whole);
  if ((await next()) !== GUARD_READY) return failed({ reason: 'step-failed', step: 'start the guard', error: said.trim() || 'it ended at once' });

  const alive = setInterval(() => void tell({ alive: true }), ALIVE_EVERY_MILLISECONDS);
  alive.unref();
  const end = async (message: GivenUp | Leaving): Promise<string | undefined> => {
    clearInterval(alive);
    await tell(message);
    child.stdin.end();
    return next();
  };

  const begun: Undoable[] = [];
  return ok({
    get gone() { return gone; },
    begins(step) {
      // What is begun again and again is undone once.
      if (begun.some(({ title, unit }) => title === step.title && unit === step.unit)) return Promise.resolve();
      begun.push(step);
      appendFileSync(begunFile(order.id), `${JSON.stringify(step)}\n`);
      return tell(step);
    },
    async leave() {
      await end({ leaving: true });
      forgetBegun(order.id);
    },
    async giveUp(why) {
      // A guard that was killed undoes nothing: then it is done here.
      if ((await end({ givingUp: why })) === GUARD_DONE) return;
      journal.append(await undo(begun, why));
      forgetBegun(order.id);
    },
  });
}
