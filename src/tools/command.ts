import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Readable } from 'node:stream';
import type { Failure } from '../failure/failure.ts';
import { failed, ok, type Result } from '../failure/result.ts';

/** What an outside program printed, and how it ended. */
export interface Output {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

export interface CommandOptions {
  readonly input?: string;
  /**
   * Whoever has not ended after so many seconds is killed; who waits in the kernel for a disk cannot be, and is left to it:
   * when the disk answers, it is better at an end of its own than killed in the midst of its work.
   */
  readonly limitSeconds?: number;
  /** Called with the program's process id when it runs. */
  readonly started?: (pid: number) => void;
  /**
   * Called when the program ends, however it does: the kernel closes its files, and a pipe among them, before it lets go of whom it
   * traces (do_exit() in kernel/exit.c).
   */
  readonly ended?: () => void;
}

/** Called with every command before it runs (`--debug`). */
let trace: (line: string) => void = () => undefined;
export function traceCommands(listener: (line: string) => void): void {
  trace = listener;
}

/** A command as an administrator would type it. */
export function display(argv: readonly string[]): string {
  return argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ');
}

/** Waits in the kernel, mostly for a disk, and cannot be killed (state D of proc_pid_status(5)). */
export function waitsForDisk(pid: number): boolean {
  try {
    return /^State:\tD/m.test(readFileSync(`/proc/${pid.toString()}/status`, 'utf8'));
  } catch {
    return false; // it has ended
  }
}

/** What a process that can be killed needs at most to be gone. */
const KILLED_MILLISECONDS = 2000;

/** Plain English without colours, whatever the administrator's own. */
const PLAIN = { LC_ALL: 'C.UTF-8', SYSTEMD_COLORS: '0', SYSTEMD_PAGER: '' };

/** A systemd that is busy answers late; for longer than that its tools wait only if they are told to (25 s; docs/ENVIRONMENT.md of systemd). */
const PATIENT = { SYSTEMD_BUS_TIMEOUT: '90s' };

/**
 * Runs a program and returns what it printed, whatever its exit code; as in a shell 127 stands for "not found", and
 * 126 for what could not be run or was killed. It runs in a session of its own: a Ctrl-C is for segue, which decides
 * what it means for a running criu.
 *
 * Node's own spawn(): a stoppage is a hundred small programs, and a library on top of it took longer than most of them.
 */
export async function run(argv: readonly string[], options: CommandOptions = {}): Promise<Output> {
  const [file, ...rest] = argv;
  if (file === undefined) throw new Error('an empty command');
  trace(display(argv));
  return await new Promise((resolve) => {
    let stdout = '';
    let stderr = '';
    const notRun = ({ code, message }: NodeJS.ErrnoException): void => resolve({ stdout, stderr: `${stderr}${message}`, exitCode: code === 'ENOENT' ? 127 : 126 });
    let child: ChildProcess;
    try {
      child = spawn(file, rest, { detached: true, env: { ...PATIENT, ...process.env, ...PLAIN }, stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', ...(options.ended === undefined ? [] : ['pipe' as const])] });
    } catch (error) {
      return notRun(error as NodeJS.ErrnoException); // the arguments are too long, for one
    }
    if (child.pid !== undefined) options.started?.(child.pid);
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    // Whoever does not read its input to the end says by its exit code what that means.
    child.stdin?.on('error', () => undefined).end(options.input);
    child.on('error', notRun);
    const { ended, limitSeconds } = options;
    if (ended !== undefined) (child.stdio[3] as Readable).on('end', ended).resume();
    let limit: NodeJS.Timeout | undefined;
    let late = '';
    const failedWith = (how: string): void => resolve({ stdout, stderr: `${stderr}${file} ${how}${late}`, exitCode: 126 });
    const leave = (how: string): void => {
      child.unref();
      for (const stream of child.stdio) stream?.destroy();
      failedWith(how);
    };
    if (limitSeconds !== undefined) {
      limit = setTimeout(() => {
        late = `, as it had not come to an end after ${limitSeconds.toString()} s`;
        if (child.pid !== undefined && waitsForDisk(child.pid)) return leave('is left to a disk that does not answer');
        child.kill('SIGKILL');
        // It may have left its output to others: this process need not wait for them.
        limit = setTimeout(() => { leave('was killed by SIGKILL'); }, KILLED_MILLISECONDS);
      }, limitSeconds * 1000);
    }
    child.on('close', (code, signal) => {
      clearTimeout(limit);
      if (code === null) failedWith(`was killed by ${String(signal)}`);
      else resolve({ stdout, stderr, exitCode: code });
    });
  });
}

/** For a parser that cannot make anything of what a program printed: all of it, or the line that it is about. */
export const unreadable = (argv: readonly string[], output: string): { readonly ok: false; readonly failure: Failure } =>
  failed({ reason: 'output-unreadable', command: display(argv), output: output.length > 300 ? `${output.slice(0, 300)}…` : output || '(nothing)' });

/** Text as JSON; undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Runs a program that must succeed. */
export async function runOk(argv: readonly string[], options: CommandOptions = {}): Promise<Result<string>> {
  const { stdout, stderr, exitCode } = await run(argv, options);
  if (exitCode === 0) return ok(stdout);
  const output = (stderr.trim() || stdout.trim()).split('\n').slice(-12).join('\n');
  return failed({ reason: 'command-failed', command: display(argv), exitCode, output });
}
