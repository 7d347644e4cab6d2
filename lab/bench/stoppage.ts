import { z } from 'zod';
import { upgrade } from '../demo/upgrade.js';
import { LabError } from '../errors.js';
import { openLab, type Guest } from '../lab.js';

const MIB = 2 ** 20;

export interface Case {
  readonly name: string;
  /** Memory of one workload that sleeps, beside the stock services, MiB. */
  readonly idleMiB: number;
  /** Whether memory is imaged beforehand. */
  readonly prepare: boolean;
}

export const CASES: readonly Case[] = [
  { name: 'little memory', idleMiB: 200, prepare: true },
  { name: 'much memory', idleMiB: 2048, prepare: true },
  { name: 'much memory, --no-prepare', idleMiB: 2048, prepare: false },
];

export interface Measurement extends Case {
  /** From the first step of park to the start of the new kernel, by the journal, milliseconds. */
  readonly stoppageMs: number;
  /** Imaged while all was parked, and before, MiB. */
  readonly imagedMiB: number;
  readonly earlierMiB: number;
}

/** What is read of a journal. */
const Event = z.object({ at: z.string(), event: z.string(), phase: z.string().optional(), bytes: z.number().optional(), earlierBytes: z.number().optional() });

async function measure(guest: Guest, each: Case, unit: string): Promise<Measurement> {
  const program = `my $block = join "", map { pack "d", rand } 1 .. 131072; our $memory = $block x ${each.idleMiB.toString()}; sleep 1000 while 1`;
  await guest.exec(['systemd-run', '--expand-environment=no', `--unit=${unit}`, 'perl', '-e', program], { timeoutMs: 120_000 });
  await guest.exec(`until [ $(ps -o rss= -p $(systemctl show -p MainPID --value ${unit})) -gt ${(each.idleMiB * 1024).toString()} ]; do sleep 0.5; done`, { timeoutMs: 120_000 });
  const status = await upgrade(guest, await guest.kernelRelease(), ...(each.prepare ? [] : ['--no-prepare']));
  const lost = status.workloads.filter(({ fate }) => fate !== 'restored');
  if (status.state !== 'settled' || lost.length > 0) throw new LabError(`not all was restored: ${JSON.stringify(status)}`);
  const { stdout } = await guest.exec('cat "$(ls -d /var/lib/segue/upgrades/* | tail -n 1)/journal.ndjson"');
  const events = stdout.split('\n').filter(Boolean).map((line) => Event.parse(JSON.parse(line)));
  const parked = events.find(({ phase }) => phase === 'park');
  const jumping = events.find(({ event }) => event === 'jumping');
  if (parked === undefined || jumping === undefined) throw new LabError('the journal does not tell of a stoppage');
  const sum = (of: (event: z.infer<typeof Event>) => number | undefined): number =>
    Math.round(events.filter(({ event }) => event === 'imaged').reduce((total, event) => total + (of(event) ?? 0), 0) / MIB);
  await guest.exec(['systemctl', 'stop', unit]);
  return { ...each, stoppageMs: Date.parse(jumping.at) - Date.parse(parked.at), imagedMiB: sum(({ bytes }) => bytes), earlierMiB: sum(({ earlierBytes }) => earlierBytes) };
}

/** One guest, every case in turn, `runs` times: the stoppage of upgrades from a kernel onto the same one. */
export async function stoppage(runs: number, log: (line: string) => void): Promise<Measurement[]> {
  const guest = await openLab({ log }).up({ kernel: '6.12', memory: '6G' });
  try {
    await guest.exec('segue setup --restart', { timeoutMs: 180_000 });
    const measurements: Measurement[] = [];
    for (let run = 1; run <= runs; run += 1) {
      for (const each of CASES) {
        log(`run ${run.toString()}: ${each.name}`);
        // A transient unit that was carried keeps its name until the machine boots.
        measurements.push(await measure(guest, each, `idle-${(measurements.length + 1).toString()}`));
      }
    }
    return measurements;
  } finally {
    await guest.down();
  }
}
