/**
 * Many connections with numbered bytes, outside the guest. Its arguments are the guest's address, a seed, and how many
 * connections each port has at rest, and how many more come in the midst of an upgrade, as JSON ({@link Crowd}[]). On stdin it is told, a line each:
 *
 *   open            brings every port up to its connections at rest; says how many it has opened
 *   upgrade         one begins
 *   step MS         it takes a step; some burst, end or come within so many milliseconds
 *   calm            it is over
 *   end SHARE       so many of the connections (0 to 1) send their last byte; says what became of them, and of those
 *                   that had ended by themselves ({@link Verdict}[])
 */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { numbersOf, Random } from './numbered.ts';
import { Sender, type Verdict } from './sender.ts';
import type { Crowd } from './senders.ts';

const [host = '', seedText = '', crowdsText = '[]'] = process.argv.slice(2);
const seed = Number(seedText);
const crowds = JSON.parse(crowdsText) as Crowd[];
const random = new Random(seed + 1);
const numbers = numbersOf(seed);
const twice = Buffer.concat([numbers, numbers]);
/** A listen queue is short. */
const TOGETHER = 16;

/** Ports to which more will connect in this upgrade. */
let late: number[] = [];
let senders: { readonly port: number; readonly sender: Sender }[] = [];

function open(port: number, late: boolean): Sender {
  const sender = new Sender({ host, port, late }, twice, new Random(random.whole(2 ** 31)));
  senders.push({ port, sender });
  return sender;
}

async function openAll(): Promise<number> {
  const missing = crowds.flatMap(({ port, atRest }) => {
    const there = senders.filter((each) => each.port === port && !each.sender.ended).length;
    return Array.from({ length: Math.max(0, atRest - there) }, () => port);
  });
  for (let first = 0; first < missing.length; first += TOGETHER) {
    const opened = missing.slice(first, first + TOGETHER).map((port) => open(port, false));
    await Promise.all(opened.map(async (sender) => await sender.connected));
    for (const sender of opened) sender.calm();
  }
  return missing.length;
}

function upgrade(): void {
  for (const { sender } of senders) sender.upgrade();
  late = crowds.flatMap((crowd) => Array.from({ length: crowd.late }, () => crowd.port));
}

function step(withinMs: number): void {
  for (const { sender } of senders) sender.step(withinMs);
  const later: number[] = [];
  for (const port of late) {
    if (!random.chance(0.15)) {
      later.push(port);
      continue;
    }
    void sleep(random.between(0, withinMs)).then(() => {
      const sender = open(port, true);
      sender.upgrade();
      sender.step(random.between(0, withinMs));
    });
  }
  late = later;
}

async function end(share: number): Promise<Verdict[]> {
  const ending = senders.filter(({ sender }) => sender.ended || random.chance(share));
  senders = senders.filter((each) => !ending.includes(each));
  return await Promise.all(ending.map(async ({ sender }) => await sender.end()));
}

const say = (value: unknown): boolean => process.stdout.write(`${JSON.stringify(value)}\n`);

for await (const line of createInterface({ input: process.stdin })) {
  const [command, argument] = line.split(' ');
  if (command === 'open') say(await openAll());
  else if (command === 'upgrade') upgrade();
  else if (command === 'step') step(Number(argument));
  else if (command === 'calm') for (const { sender } of senders) sender.calm();
  else if (command === 'end') say(await end(Number(argument)));
}
process.exit(0);
