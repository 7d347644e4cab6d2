import { execa } from 'execa';
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
  /** Milliseconds; none by default. */
  readonly timeout?: number;
  /** Called with the program's process id when it runs. */
  readonly started?: (pid: number) => void;
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

/**
 * Runs a program and returns what it printed, whatever its exit code; 127 stands for "not found", as in a shell.
 * It runs in a session of its own: a Ctrl-C is for segue, which decides what it means for a running criu.
 */
export async function run(argv: readonly string[], options: CommandOptions = {}): Promise<Output> {
  const [file, ...rest] = argv;
  if (file === undefined) throw new Error('an empty command');
  trace(display(argv));
  const running = execa(file, rest, {
    reject: false,
    detached: true,
    cleanup: false,
    stripFinalNewline: false,
    maxBuffer: 2 ** 28,
    env: { LC_ALL: 'C.UTF-8', SYSTEMD_COLORS: '0', SYSTEMD_PAGER: '' },
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    ...(options.timeout === undefined ? {} : { timeout: options.timeout, forceKillAfterDelay: 1000 }),
  });
  if (running.pid !== undefined) options.started?.(running.pid);
  const result = await running;
  if (result.exitCode === undefined) {
    return { stdout: result.stdout, stderr: `${result.stderr}${result.shortMessage}`, exitCode: result.code === 'ENOENT' ? 127 : 126 };
  }
  return { stdout: result.stdout, stderr: result.stderr, exitCode: result.exitCode };
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
