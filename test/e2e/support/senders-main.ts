/**
 * Many connections with numbered bytes, outside the guest. Its arguments are the guest's address, a seed, and how many
 * connections each port has at rest, and how many more come in the midst of an upgrade, as JSON ({@link Crowd}[]). On stdin it is told, a line each:
 *
 *   open            brings every port up to its connections at rest; says how many it has opened
 *   upgrade         one begins
 *   step MS         it takes a step; some burst, end or come within so many milliseconds
 *   calm            it is over
 *   end SHARE       so many of the connections (0 to 1) send their last byte
 *   verdicts        says what became of those that have ended, and were not told of before ({@link Verdict}[])
 *   finish MS       all the others send their last byte; says what became of all, after so many milliseconds at most
 */
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Random } from '../../../lab/random.js';
import { numbersOf } from './numbered.ts';
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

const verdicts: Verdict[] = [];
/** Ports to which more will connect in this upgrade. */
let late: number[] = [];
let senders: { readonly port: number; readonly sender: Sender }[] = [];

function open(port: number, late: boolean): Sender {
  const sender = new Sender({ host, port, late }, twice, new Random(random.whole(2 ** 31)));
  senders.push({ port, sender });
  void sender.verdict.then((verdict) => {
    verdicts.push(verdict);
    senders = senders.filter((each) => each.sender !== sender);
  });
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

function end(share: number): void {
  for (const { sender } of senders) if (random.chance(share)) sender.end();
}

async function finish(patienceMs: number): Promise<Verdict[]> {
  end(1);
  for (const { sender } of senders) sender.lastCall(patienceMs);
  await Promise.all(senders.map(async ({ sender }) => await sender.verdict));
  return verdicts.splice(0);
}

const say = (value: unknown): boolean => process.stdout.write(`${JSON.stringify(value)}\n`);

for await (const line of createInterface({ input: process.stdin })) {
  const [command, argument] = line.split(' ');
  if (command === 'open') say(await openAll());
  else if (command === 'upgrade') upgrade();
  else if (command === 'step') step(Number(argument));
  else if (command === 'calm') for (const { sender } of senders) sender.calm();
  else if (command === 'end') end(Number(argument));
  else if (command === 'verdicts') say(verdicts.splice(0));
  else if (command === 'finish') say(await finish(Number(argument)));
}
process.exit(0);
