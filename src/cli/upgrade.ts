import { buildCommand } from '@stricli/core';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { WayBackPolicy } from '../model/handover.ts';
import type { Plan } from '../plan/plan.ts';
import type { Action, MemorySnapshot, Step } from '../model/step.ts';
import { duration, table } from '../report/table.ts';
import { HUGE_PAGES_PACE } from '../tools/khugepaged.ts';
import { display, traceCommands } from '../tools/command.ts';
import { spellRegion } from '../tools/memmap.ts';
import { syncCommand } from '../park/sync.ts';
import { preDumpCommand, wholeCommand } from '../tools/criu.ts';
import { readJournal } from '../store/journal.ts';
import { storeOf } from '../store/store.ts';
import { INSTANCE, INSTANCE_OF_DEEDS } from '../tools/tracefs.ts';
import { prepare } from '../upgrade/prepare.ts';
import { isKept, readPrepared } from '../upgrade/prepared.ts';
import { upgrade } from '../upgrade/upgrade.ts';
import { words } from '../failure/words.ts';
import * as flags from './flags.ts';
import { bold, note, print, red, report, STORE, unwrap } from './output.ts';

interface UpgradeFlags {
  readonly to?: string;
  readonly afresh?: readonly string[];
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly debug: boolean;
  readonly wayBack?: WayBackPolicy;
  readonly keepImages?: number;
  readonly store?: string;
  readonly prepare: boolean;
}

const freezing = (value: '0' | '1', controlGroup: string): string => `echo ${value} >${display([`/sys/fs/cgroup${controlGroup}/cgroup.freeze`])}`;

const pacing = (limit: string, controlGroup: string): string => `echo ${limit} >${display([`/sys/fs/cgroup${controlGroup}/cpu.max`])}`;

const rounds = ({ order, folder, controlGroup }: MemorySnapshot, more = ''): string =>
  `# in rounds, until the next would not pay${more}\n${freezing('1', controlGroup)}\n${display(preDumpCommand(order, folder, 1, controlGroup))}\n${freezing('0', controlGroup)}`;

/** An action as the commands that it amounts to. */
export function commands(action: Action): string {
  switch (action.kind) {
    case 'run':
      return action.input === undefined ? display(action.argv) : `${display(action.argv)} <<'EOF'\n${action.input}EOF`;
    case 'write':
      return `cat >${display([action.path])} <<'EOF'\n${action.content}EOF`;
    case 'open-store':
      return storeOf(action.place).opening().join('\n');
    case 'store-nice':
      return storeOf(action.place).settingNice(action.nice);
    case 'wipe-store':
      return storeOf(action.place).wiping().join('\n');
    case 'link':
      return `mkdir -p -m 0700 ${display([dirname(action.path)])} && ln -s ${display([action.target, action.path])}`;
    case 'remove':
      return `rm -rf ${display([action.path])}`;
    case 'sync':
      return display(syncCommand(action));
    case 'stop':
      return `# until none of them runs\n${display(['systemctl', 'stop', '--', ...action.units])}`;
    case 'drain':
      return `# until nothing waits there, for ${action.seconds.toString()} s at most\nss -Htn state listening state syn-recv '( ${action.ports.map((port) => `sport = :${port.toString()}`).join(' or ')} )'${action.slowed.map(({ controlGroup, limit }) => `\n# and after a second\n${pacing(limit, controlGroup)}`).join('')}`;
    case 'snapshot':
      return rounds(action, action.idleGroup === undefined ? '' : `; once it has let the task go, in ${action.idleGroup}`);
    case 'snapshot-slowed':
      return `# if the rounds before have not caught up with it: its huge pages are split; if that is not enough, an eighth of what it uses, until it is parked\n${pacing('QUOTA PERIOD', action.controlGroup)}\n${rounds(action)}`;
    case 'make-huge-pages':
      return `echo ${action.everyMilliseconds.toString()} >${HUGE_PAGES_PACE}`;
    case 'count-calls':
      return `mkdir ${INSTANCE} ${INSTANCE_OF_DEEDS} # and count there what the threads of these call, and what is done to them: ${action.controlGroups.join(' ')}`;
    case 'end-snapshots':
      return `rmdir ${INSTANCE} ${INSTANCE_OF_DEEDS}`;
    case 'snapshot-whole':
      return [freezing('1', action.controlGroup), ...action.trees.map(({ order, folder }) => display(wholeCommand(order, folder, 0, action.controlGroup))), freezing('0', action.controlGroup)].join('\n');
    case 'look':
      return action.workloads.map(({ controlGroup }) => `cat /sys/fs/cgroup${controlGroup}/cgroup.threads # and stat what these have open or mapped`).join('\n');
    case 'prove':
      return action.workloads.map(({ controlGroup }) => freezing('1', controlGroup)).join('\n');
    case 'thaw':
      return action.controlGroups.map((controlGroup) => freezing('0', controlGroup)).join('\n');
    case 'full-speed':
      return `${pacing(action.limit, action.controlGroup)}\n${freezing('0', action.controlGroup)}`;
    case 'dump':
      return `mkdir -p -m 0700 ${display([action.images])}\nkill -STOP ${action.pid.toString()} # and all that it has started\n${action.limit === undefined ? '' : `${pacing(action.limit, action.controlGroup)}\n`}${display(action.argv)}${action.privateUsers ? `\n# and leave the user namespace of PrivateUsers= out of ${action.images}/ids-*.img` : ''}`;
    case 'resume':
      return `xargs kill -CONT </sys/fs/cgroup${action.controlGroup}/cgroup.procs`;
    case 'unlock':
      return 'nft list tables inet | grep -E " (segue|CRIU)-" | sed "s/^/delete /" | nft -f -';
    case 'sum':
      return summing(action.handover);
    case 'seal-workloads':
      return action.workloads.map(({ unit }) => `# its locks in the new kernel, from the sockets as imaged, onto the end of ${action.handover}/lock.nft\n${summing(`${action.handover}/workloads/${unit}`)}`).join('\n');
    case 'seal':
      return `${summing(action.handover)}, of what has come since`;
    case 'await-newcomers':
      return `# until there is none, for ${action.seconds.toString()} s at most\nsystemd-cgls --no-pager | grep -E '\\.(service|scope)' # and none but: ${action.known.join(' ')}`;
    case 'await-inhibitors':
      return `systemd-inhibit --list --mode=block # until nobody is there for a shutdown, for ${action.seconds.toString()} s at most`;
    case 'confirm':
      return action.workloads.map(({ controlGroup, images }) => `ls ${display(images)} | grep core- # as many as in /sys/fs/cgroup${controlGroup}/cgroup.threads, each of them stopped, and no new signal waits for it`).join('\n');
    case 'jump':
      return 'kexec --exec';
  }
}

const summing = (handover: string): string => `cd ${display([handover])} && find . -type f -print0 | xargs -0 xxhsum -H2 # into the manifests`;

function printSteps(steps: readonly Step[]): void {
  let phase = '';
  for (const step of steps) {
    if (step.phase !== phase) print(`\n#### ${step.phase}`);
    phase = step.phase;
    print(`\n# ${step.unit === undefined ? '' : `${step.unit}: `}${step.title}\n${commands(step.action)}`);
  }
}

/** Where the images will be, and why not in memory though that was set up. */
export function storeSentence({ keptIn: { place, why, bad }, paths }: Pick<Plan, 'keptIn' | 'paths'>): { readonly where: string; readonly warning?: string } {
  if (place.kind === 'ram') return { where: `The images are in memory that the new kernel leaves alone, ${spellRegion(place.ram.region)}.` };
  const where = `The images are on the disk, encrypted, below ${paths.upgrade}.`;
  if (why === undefined) return { where };
  return bad === true ? { where, warning: `${red('warning:')} the store in memory is not used: ${why}` } : { where: `${where} Not in memory yet: ${why}.` };
}

/** What becomes of the workloads if the new kernel does not come up. */
export function wayBackSentence({ wayBack, keptIn }: Pick<Plan, 'wayBack' | 'keptIn'>): string {
  if (wayBack === 'afresh') return 'If the new kernel does not come up, every service is started afresh on the kernel that the machine boots by itself. `--way-back restore` restores them there: until all is settled a key to the images is then on the disk.';
  return `If the new kernel does not come up, the workloads are restored on the kernel that the machine boots by itself${keptIn.place.kind === 'ram' ? ', if the memory outlives that boot' : ''}.`;
}

/** What becomes of a new kernel that cannot restore what it must. */
export function requiredSentence({ required, turnsBack, wayBack, from }: Pick<Plan, 'required' | 'turnsBack' | 'wayBack' | 'from'>): string | undefined {
  const [first] = required;
  if (first === undefined) return undefined;
  if (turnsBack) return `If it cannot restore ${first}, which is required, Linux ${from} is started again${required.length > 1 ? `; so with ${required.slice(1).join(', ')}, as long as nobody runs yet` : ''}.`;
  return `${required.join(', ')}: required, but started afresh if ${required.length > 1 ? 'they' : 'it'} cannot be restored, as ${wayBack === 'afresh' ? 'there is no way back without `--way-back restore`' : `Linux ${from} is not installed any more`}.`;
}

/** What becomes of the machine if the new kernel neither comes up nor ends. */
export function hangSentence({ watchdog }: Pick<Plan, 'watchdog'>): string {
  const stands = 'If it hangs, the machine stands still';
  switch (watchdog.kind) {
    case 'none':
      return `${stands}: it has no watchdog in hardware.`;
    case 'stopped':
      return `${stands}: its watchdog (${watchdog.identity}) is not used, as ${watchdog.why}.`;
    case 'counts':
      return watchdog.goesOn
        ? `If it hangs, the watchdog (${watchdog.identity}) starts the machine again after ${watchdog.seconds.toString()} s.`
        : `${stands}, unless the driver of its watchdog (${watchdog.identity}) leaves that on at the jump: \`segue setup\` has it do so.`;
  }
}

function announce(plan: Plan): void {
  note(`${bold(`Linux ${plan.from} → ${plan.to.release}`)}, upgrade ${plan.id}`);
  note(table(['unit', 'fate', 'memory'], [
    ...plan.carried.map(({ unit, memory }) => [unit, 'carried', `${(memory / 2 ** 20).toFixed(0)} MiB`]),
    ...plan.stopped.map(({ unit }) => [unit, unit.endsWith('.scope') ? 'ends' : 'stopped, then started afresh', '']),
  ]));
  const { where, warning } = storeSentence(plan);
  note(where);
  if (warning !== undefined) note(warning);
  note(wayBackSentence(plan));
  note(hangSentence(plan));
  const required = requiredSentence(plan);
  if (required !== undefined) note(required);
  note('Everything else is started afresh as at a boot; login sessions, also this one, end. `segue check` says why.');
}

/** What was confirmed. */
const fates = ({ carried, stopped, wayBack, keptIn }: Plan): string => JSON.stringify([carried.map(({ unit }) => unit), stopped.map(({ unit }) => unit), wayBack, keptIn.place.kind]);

async function confirmed(plan: Plan): Promise<boolean> {
  if (!process.stdin.isTTY) {
    process.exitCode = report({ reason: 'confirmation-needed', command: `segue upgrade --to ${plan.to.release} --yes` });
    return false;
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question('Upgrade now? [y/N] ');
  terminal.close();
  if (/^y(es)?$/i.test(answer.trim())) return true;
  process.exitCode = report({ reason: 'declined' });
  return false;
}

async function run({ to, afresh, yes, dryRun, debug, store: named, prepare: prepares, wayBack, keepImages }: UpgradeFlags): Promise<void> {
  if (debug) traceCommands((line) => { note(`$ ${line}`); });
  const began = performance.now();
  const clock = (): string => duration(performance.now() - began).padStart(8);
  const prepared = (await isKept()) ? readPrepared() : undefined;
  const target = to ?? prepared?.to;
  if (target === undefined) {
    process.exitCode = report({ reason: 'kernel-not-named' });
    return;
  }
  // Where it was prepared it is gone on with, unless another place is named.
  const store = named ?? prepared?.store ?? STORE;
  const ram = named === undefined && (prepared?.ram ?? true);
  if (prepared !== undefined && (prepared.store !== store || (prepared.ram && !ram))) {
    process.exitCode = report({ reason: 'prepared-elsewhere', ...(prepared.ram ? {} : { store: prepared.store }) });
    return;
  }
  // What was prepared is gone on with; without snapshots there is nothing to go on with.
  const id = prepares ? prepared?.id : undefined;
  const planNow = async (announced?: string): Promise<Plan | undefined> => unwrap(await prepare({ ...(announced === undefined ? {} : { id: announced }), to: target, afresh: afresh ?? prepared?.afresh ?? [], store, ram, prepare: prepares, wayBack: wayBack ?? prepared?.wayBack, keepImages: keepImages ?? prepared?.keepImages ?? Number(flags.keepImages.default) }, id));
  let plan = await planNow();
  if (plan === undefined) return;
  if (dryRun) {
    const { warning } = storeSentence(plan);
    if (warning !== undefined) note(warning);
    printSteps(plan.steps);
    return;
  }
  announce(plan);
  // Services may come and go while it waits for the answer.
  for (let announced = ''; !yes && announced !== fates(plan); ) {
    if (announced !== '') announce(plan);
    announced = fates(plan);
    if (!(await confirmed(plan))) return;
    plan = await planNow(plan.id);
    if (plan === undefined) return;
  }

  let phase = '';
  const result = await upgrade(plan, store, {
    stepBegins(step) {
      if (step.phase !== phase) note(`${clock()}  ${bold(step.phase)}`);
      phase = step.phase;
      // The hand-over's many small files are one thing to a reader.
      if (step.phase !== 'prepare' || step.action.kind === 'run') note(`${clock()}    ${step.unit === undefined ? '' : `${step.unit}: `}${step.title}`);
    },
    givingUp(failure) {
      note(`${clock()}  giving up: ${words(failure).what}; every workload goes on`);
    },
  });
  if (!result.ok) {
    process.exitCode = report(result.failure);
    if (readJournal(store, plan.id) !== undefined) note(`log: segue show ${plan.id}`);
  }
}

export const upgradeCommand = buildCommand({
  func: run,
  parameters: {
    flags: {
      to: { ...flags.to, optional: true, brief: `${flags.to.brief}; may be left out when one is prepared` },
      afresh: flags.afresh,
      prepare: { kind: 'boolean', brief: 'Image memory beforehand, while everything runs (the default, where the store has room)', default: true },
      yes: flags.yes,
      dryRun: flags.dryRun,
      debug: flags.debug,
      store: flags.imageStore,
      wayBack: flags.wayBack,
      keepImages: { kind: 'parsed', parse: flags.keepImages.parse, brief: `${flags.keepImages.brief} (${flags.keepImages.default} by default)`, placeholder: 'DAYS', optional: true },
    },
  },
  docs: {
    brief: 'Move the running machine onto another kernel',
    fullDescription: 'Surveys the machine, parks every workload, starts the new kernel with kexec and restores the workloads there. Until the jump, giving up (Ctrl-C) costs nothing. The command cannot return through the jump: `segue status --wait` tells the outcome on the new kernel.',
  },
});
