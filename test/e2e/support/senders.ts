import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { outsideCommand } from '../../../lab/demo/outside.js';
import type { Guest } from '../../../lab/lab.js';
import type { Verdict } from './sender.ts';

/** The connections of one port. */
export interface Crowd {
  readonly port: number;
  readonly atRest: number;
  /** So many more come in the midst of each upgrade. */
  readonly late: number;
}

/** Peers outside the guest that send numbered bytes: see senders-main.ts. */
export interface Senders extends Disposable {
  open(): Promise<number>;
  /** An upgrade begins; it takes a step; it is over. */
  upgrade(): void;
  step(withinMs: number): void;
  calm(): void;
  end(share: number): void;
  verdicts(): Promise<Verdict[]>;
  finish(patienceMs: number): Promise<Verdict[]>;
}

export function startSenders(guest: Guest, seed: number, crowds: readonly Crowd[]): Senders {
  const program = new URL('senders-main.ts', import.meta.url);
  const [file, ...args] = outsideCommand(guest, program, [guest.address, seed.toString(), JSON.stringify(crowds)]);
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const said = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const tell = (...words: readonly (string | number)[]): boolean => child.stdin.write(`${words.join(' ')}\n`);
  const ask = async (...words: readonly (string | number)[]): Promise<unknown> => {
    tell(...words);
    const result: IteratorResult<string, unknown> = await said.next();
    if (result.done === true) throw new Error('the process with the senders ended');
    return JSON.parse(result.value);
  };
  return {
    open: async () => (await ask('open')) as number,
    upgrade: () => void tell('upgrade'),
    step: (withinMs) => void tell('step', withinMs),
    calm: () => void tell('calm'),
    end: (share) => void tell('end', share),
    verdicts: async () => (await ask('verdicts')) as Verdict[],
    finish: async (patienceMs) => (await ask('finish', patienceMs)) as Verdict[],
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  };
}

/** Both ends of the connections whose senders have sent their last and wait, as the kernels know them. */
export async function describeWaiting(guest: Guest, ports: readonly number[]): Promise<string> {
  const filter = (end: string): string => `( ${ports.map((port) => `${end} = :${port}`).join(' or ')} )`;
  const [file = '', ...args] = guest.outside(['ss', '-HOtinoe', 'state', 'fin-wait-1', 'state', 'fin-wait-2', filter('dport')]);
  const { stdout } = await execa(file, args);
  const peers = [...stdout.matchAll(/:(\d+)\s+\S+:\d+\s/g)].map((match) => match[1] ?? '');
  const { stdout: there } = await guest.exec(['ss', '-HOtinoe', 'state', 'connected', filter('sport')], { reject: false, timeoutMs: 30_000 });
  return [stdout, 'in the guest:', ...there.split('\n').filter((line) => peers.some((port) => line.includes(`:${port} `)))].join('\n');
}

/** What the kernel of a sender knows of a connection. */
export interface Acknowledgement {
  /** Of the receiver's end. */
  readonly port: number;
  /** Of the sender's. */
  readonly localPort: number;
  /** Bytes that the receiver's kernel has said that it has. */
  readonly bytes: number;
  /** Since it last said something. */
  readonly agoMs: number;
}

/** Of every connection to these ports, as tcp_info has it (ss(8), `--info`). */
export async function readAcknowledgements(guest: Guest, ports: readonly number[]): Promise<Acknowledgement[]> {
  const filter = `( ${ports.map((port) => `dport = :${port}`).join(' or ')} )`;
  const [file = '', ...args] = guest.outside(['ss', '--no-header', '--oneline', '--tcp', '--numeric', '--info', 'state', 'connected', filter]);
  const { stdout } = await execa(file, args);
  return stdout.split('\n').flatMap((line) => {
    const [, localPort, port] = /:(\d+)\s+\S+:(\d+)\s/.exec(line) ?? [];
    const agoMs = /\blastack:(\d+)/.exec(line)?.[1];
    if (agoMs === undefined) return [];
    // The first of them is the SYN.
    const bytes = Number(/\bbytes_acked:(\d+)/.exec(line)?.[1] ?? 1) - 1;
    return [{ port: Number(port), localPort: Number(localPort), bytes, agoMs: Number(agoMs) }];
  });
}
