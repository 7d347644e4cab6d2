import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { LabError } from '../errors.js';
import { isAlive } from '../host/process.js';
import { GUEST_ADDRESS } from '../net/namespace.js';
import type { Places } from '../paths.js';
import { launchFailure } from '../qemu/launch.js';
import { Qmp } from '../qemu/qmp.js';
import { quote, quoteArguments } from './quote.js';
import { recordFolder, type GuestRecord } from './record.js';
import { removeGuest } from './remove.js';
import { dropConnection, insideNamespace, scpCommand, sshCommand, sshHost, waitForPort, type SshTarget } from './ssh.js';

export interface ExecOptions {
  readonly input?: string | Uint8Array;
  readonly timeoutMs?: number;
  /** Whether a command that fails is an error (the default) or a result. */
  readonly reject?: boolean;
  /** Told of each line of the standard output as it comes. */
  readonly onLine?: (line: string) => void;
}

export interface ExecResult {
  /** 255 when the connection was lost, or when the command itself said so. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A guest that runs. */
export class Guest implements AsyncDisposable {
  readonly name: string;
  readonly address: string = GUEST_ADDRESS;
  readonly #places: Places;
  #record: GuestRecord;
  readonly #starter: GuestStarter | undefined;

  constructor(places: Places, record: GuestRecord, starter?: GuestStarter) {
    this.name = record.name;
    this.#places = places;
    this.#record = record;
    this.#starter = starter;
  }

  get record(): GuestRecord {
    return this.#record;
  }

  get running(): boolean {
    return isAlive(this.#record.qemu);
  }

  get ssh(): SshTarget {
    const { namespace, sshPort, sshKey } = this.#record;
    return { key: sshKey, namespace, port: sshPort, folder: recordFolder(this.#places, this.name) };
  }

  /** Runs a command as root: an array's items arrive as they are, a string goes to the shell. */
  async exec(command: string | readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const remote = typeof command === 'string' ? command : quoteArguments(command);
    const [file = '', ...args] = sshCommand(this.ssh, remote);
    const running = execa(file, args, {
      reject: false,
      ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
    });
    if (options.onLine !== undefined) createInterface({ input: running.stdout }).on('line', options.onLine);
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      running.kill('SIGKILL');
      // ssh handed the pipes to the process that holds the shared connection, which keeps them open.
      running.stdout.destroy();
      running.stderr.destroy();
    }, options.timeoutMs ?? FOREVER);
    const result = await running;
    clearTimeout(timer);
    const outcome = { exitCode: timedOut ? 255 : (result.exitCode ?? 255), stdout: result.stdout, stderr: result.stderr };
    if ((options.reject ?? true) && outcome.exitCode !== 0) {
      const why = timedOut ? `took longer than ${options.timeoutMs} ms` : `exit code ${outcome.exitCode}`;
      throw new LabError(`in guest ${this.name}: ${remote}: ${why}\n${outcome.stderr || outcome.stdout}\n${this.#lastWords()}`);
    }
    return outcome;
  }

  /** Copies a file or folder of the host into the guest. */
  async copyIn(source: string, destination: string): Promise<void> {
    await this.#copy(resolve(source), `${sshHost(this.ssh)}:${destination}`);
  }

  /** Copies a file or folder of the guest to the host. */
  async copyOut(source: string, destination: string): Promise<void> {
    await this.#copy(`${sshHost(this.ssh)}:${source}`, resolve(destination));
  }

  async #copy(from: string, to: string): Promise<void> {
    const [file = '', ...args] = scpCommand(this.ssh, from, to);
    const result = await execa(file, args, { reject: false, stdin: 'ignore' });
    if (result.failed) throw new LabError(`copying ${from} to ${to} failed: ${result.stderr.trim()}`);
  }

  /** The command, made to run outside the guest in its network, as its clients do. */
  outside(argv: readonly string[]): string[] {
    return insideNamespace(this.#record.namespace, argv);
  }

  async kernelRelease(): Promise<string> {
    return (await this.exec(['uname', '-r'])).stdout;
  }

  /** Changes with every kernel that is started. */
  async bootId(): Promise<string> {
    return (await this.exec(['cat', BOOT_ID])).stdout;
  }

  /**
   * Waits until ssh answers; with `afterBootId`, until a kernel answers that is not the one with
   * that boot id. Gives the boot id of the kernel that answered.
   */
  async waitForSsh(options: { afterBootId?: string; timeoutMs?: number } = {}): Promise<string> {
    const { afterBootId, timeoutMs = 180_000 } = options;
    const deadline = AbortSignal.timeout(timeoutMs);
    const giveUp = async (): Promise<void> => {
      if (!this.running) throw await launchFailure(`${recordFolder(this.#places, this.name)}/qemu.log`);
      if (deadline.aborted) {
        const what = afterBootId === undefined ? 'ssh did not answer' : 'no new kernel answered over ssh';
        throw new LabError(`in guest ${this.name}: ${what} within ${timeoutMs / 1000} s\n${this.#lastWords()}`);
      }
    };
    // On the connection to the old kernel an answer comes at once or never; a login during a boot
    // under emulation takes many seconds, and to give it up would only begin it again.
    let connected = afterBootId !== undefined;
    for (;;) {
      await giveUp();
      const answer = await this.exec(['cat', BOOT_ID], { reject: false, timeoutMs: connected ? 2000 : 60_000 });
      if (answer.exitCode === 0 && answer.stdout !== '' && answer.stdout !== afterBootId) return answer.stdout;
      if (answer.exitCode === 0) await sleep(250);
      else {
        connected = false;
        await dropConnection(this.ssh);
        const enough = new AbortController();
        const signal = AbortSignal.any([deadline, enough.signal]);
        await Promise.race([waitForPort(this.ssh, signal), this.#ended(signal)]);
        enough.abort();
      }
    }
  }

  async #ended(signal: AbortSignal): Promise<void> {
    while (this.running && !signal.aborted) await sleep(200);
  }

  /** The last lines of the guest's serial console. */
  consoleTail(lines = 20): string {
    return tail(this.#record.console, lines);
  }

  #lastWords(): string {
    const text = this.consoleTail();
    return text === '' ? 'its console is empty' : `the end of its console:\n${text}`;
  }

  /** Talks to QEMU itself: `inject-nmi`, `system_reset`, `query-status`, … */
  async qemu(command: string, args: Record<string, unknown> = {}): Promise<unknown> {
    using qmp = await Qmp.connect(`${recordFolder(this.#places, this.name)}/qmp`, () => this.running);
    return await qmp.execute(command, args);
  }

  /**
   * Takes the guest's power away. What was not flushed to the disk may be lost if the guest was
   * brought up `durable`; others refuse, since their disk would be damaged in ways no power cut does.
   */
  async cutPower(): Promise<void> {
    const starter = this.#requireStarter();
    await dropConnection(this.ssh);
    await starter.cutPower(this.#record);
  }

  /** Switches it on again, with the same disk. */
  async powerOn(options: { kernel?: string } = {}): Promise<void> {
    this.#record = await this.#requireStarter().powerOn(this.#record, options.kernel);
  }

  #requireStarter(): GuestStarter {
    if (this.#starter !== undefined) return this.#starter;
    throw new LabError(`the power of guest ${this.name} cannot be cut`, {
      hint: 'bring it up with { durable: true }, in the same process',
    });
  }

  /** Ends it, with its disk and its network. */
  async down(): Promise<void> {
    await dropConnection(this.ssh);
    await removeGuest(this.#places, this.#record);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
  }
}

/** What starts and stops the machine under a guest. */
export interface GuestStarter {
  cutPower(record: GuestRecord): Promise<void>;
  powerOn(record: GuestRecord, kernel: string | undefined): Promise<GuestRecord>;
}

/** The longest that a timer can wait: 24 days. */
const FOREVER = 2 ** 31 - 1;

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

function tail(file: string, lines: number): string {
  let descriptor;
  try {
    descriptor = openSync(file, 'r');
  } catch {
    return '';
  }
  try {
    const { size } = fstatSync(descriptor);
    const buffer = Buffer.alloc(Math.min(size, 64 * 1024));
    readSync(descriptor, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString('utf8').replaceAll('\r', '').trimEnd().split('\n').slice(-lines).join('\n');
  } finally {
    closeSync(descriptor);
  }
}

/** A command line that a person can paste, for `addr`. */
export function pasteable(argv: readonly string[]): string {
  return argv.map(quote).join(' ');
}
