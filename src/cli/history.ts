import { buildCommand } from '@stricli/core';
import { setTimeout as sleep } from 'node:timers/promises';
import { ok, type Result } from '../failure/result.ts';
import { ENDINGS, exitCodeOf, isUnfinished, makeReport, type UpgradeReport } from '../report/report.ts';
import { duration, table } from '../report/table.ts';
import { journalSize, lastEvent, readJournal, upgradeIds } from '../store/journal.ts';
import { runningUpgrade } from '../upgrade/lock.ts';
import { isKept } from '../upgrade/prepared.ts';
import * as flags from './flags.ts';
import { print, printJson, report as reportFailure, unwrap } from './output.ts';

/** All upgrades that have begun, oldest first. */
function loadAll(store: string): Result<UpgradeReport[]> {
  // Who writes is looked at first: whoever has ended by then has written all that can be read.
  const written = runningUpgrade() !== undefined;
  const ids = upgradeIds(store);
  if (!ids.ok) return ids;
  return ok(ids.value.flatMap((id) => {
    const events = readJournal(store, id);
    if (events === undefined) return [];
    const report = makeReport(id, events);
    return [!written && isUnfinished(report) ? { ...report, abandoned: true } : report];
  }));
}

const SENTENCES: Readonly<Record<Exclude<UpgradeReport['state'], 'coming-back' | 'back'>, string>> = {
  preparing: 'is being prepared',
  prepared: 'is prepared: `segue upgrade` goes on with it, `segue cancel` drops it',
  parking: 'is parking the workloads',
  jumping: 'is starting the new kernel',
  arrived: 'is restoring the workloads',
  settled: 'is settled',
  'giving-up': 'is being given up',
  'given-up': 'was given up; every workload went on',
  'given-up-in-part': 'was given up, but not all could be undone',
  refused: 'arrived, but its hand-over was refused; every service was started afresh',
};

function sentence({ state, backOn = '' }: UpgradeReport): string {
  switch (state) {
    case 'coming-back':
      return `did not get there; the machine is back on Linux ${backOn} and restores the workloads`;
    case 'back':
      return `did not get there; the machine came back to Linux ${backOn}`;
    default:
      return SENTENCES[state];
  }
}

/** What of each workload need not be imaged when everything stops. */
const prepared = (report: UpgradeReport): string =>
  table(['unit', 'snapshot', 'taken', 'why not whole'], report.workloads.map(({ unit, snapshot, snapshotAt, doubt }) => [unit, snapshot ?? '-', snapshotAt ?? '-', snapshot === 'whole' ? '' : (doubt ?? '')]));

/** Who was stopped when, and how long. */
const parked = (report: UpgradeReport): string =>
  table(['unit', 'fate', 'pid', 'stopped', 'pause', 'imaged', 'why'], report.workloads.map(({ unit, fate, pid, parkedAt, pauseMs, current, why }) => [unit, fate, pid.toString(), parkedAt?.slice(11, -1) ?? '-', pauseMs === undefined ? '-' : duration(pauseMs), parkedAt === undefined ? '-' : current === true ? 'asleep' : 'stopped', why ?? '']));

const CLOCKS = ['parked', 'kexec', 'kernel', 'drivers', 'store', 'network', 'state', 'turn', 'restore'] as const;

/** Where the pause of each went. */
function clocks({ workloads }: UpgradeReport): string[] {
  const rows = workloads.flatMap(({ unit, clocks: own, adoptionMs }) => (own === undefined ? [] : [[unit, ...[...CLOCKS.map((name) => own[name]), adoptionMs].map((ms) => (ms === undefined ? '-' : duration(ms)))]]));
  return rows.length === 0 ? [] : ['', table(['unit', ...CLOCKS, 'adoption'], rows)];
}

export function text(report: UpgradeReport): string {
  const lines = [`Upgrade ${report.id}, Linux ${report.from} → ${report.to}: ${report.abandoned === true ? 'its process ended before the jump' : sentence(report)}${report.why === undefined ? '' : ` (${report.why})`}`];
  if (report.store === 'ram') lines.push('Its images were in memory.');
  else if (report.storeWhy !== undefined) lines.push(`Its images were on the disk, as ${report.storeWhy}.`);
  if (report.workloads.length > 0) {
    lines.push('', report.state === 'prepared' ? prepared(report) : parked(report));
  }
  const slowed = report.workloads.flatMap(({ unit, slowedMs }) => (slowedMs === undefined ? [] : [`${unit} for ${duration(slowedMs)}`]));
  if (slowed.length > 0) lines.push('', `Slowed down before it was stopped, so that its memory could be imaged: ${slowed.join(', ')}.`);
  lines.push(...clocks(report));
  if (report.phases.length > 0) lines.push('', table(['phase', 'from', 'took'], report.phases.map(({ phase, startedAt, ms }) => [phase, startedAt, duration(ms)])));
  if (report.skipped.length > 0) lines.push('', 'Not put back:', ...report.skipped.map((what) => `  ${what}`));
  return lines.join('\n');
}

function tell(report: UpgradeReport, json: boolean): void {
  if (json) printJson(report);
  else print(text(report));
  process.exitCode = report.abandoned === true ? 14 : exitCodeOf(report);
}

interface ReadFlags {
  readonly json: boolean;
  readonly store: string;
}

/** With these a journal ends, for now. */
const ENDS: readonly string[] = ['prepared', ...ENDINGS];

const WRITER_EVERY_MILLISECONDS = 3000;

/**
 * Until the journal of an upgrade may have ended, or nobody writes it any more: to read all of it again and again would take time from
 * those who are restored.
 */
async function ended(store: string, report: UpgradeReport): Promise<void> {
  const { id, state } = report;
  let read = -1;
  let next = performance.now() + WRITER_EVERY_MILLISECONDS;
  for (;;) {
    const size = journalSize(store, id);
    const last = size === read ? undefined : lastEvent(store, id)?.event;
    if (last !== undefined && last !== state && ENDS.includes(last)) return;
    read = size;
    if (performance.now() > next) {
      if (isUnfinished(report) && runningUpgrade() === undefined) return;
      next += WRITER_EVERY_MILLISECONDS;
    }
    await sleep(100);
  }
}

async function status({ json, store, wait }: ReadFlags & { readonly wait: boolean }): Promise<void> {
  for (;;) {
    const reports = unwrap(loadAll(store));
    if (reports === undefined) return;
    const report = reports.at(-1);
    if (report === undefined) {
      if (json) printJson({ schemaVersion: 1, state: 'none' });
      else print('There was no upgrade so far.');
      return;
    }
    const isOver = report.endedAt !== undefined || report.abandoned === true;
    // Prepared, it waits for the administrator, unless what keeps it was killed or is being told to go on.
    if (!wait || isOver || (report.state === 'prepared' && (await isKept()))) {
      tell(report, json);
      return;
    }
    await ended(store, report);
  }
}

function history({ json, store }: ReadFlags): void {
  const reports = unwrap(loadAll(store));
  if (reports === undefined) return;
  if (json) printJson({ schemaVersion: 1, upgrades: reports });
  else if (reports.length === 0) print('There was no upgrade so far.');
  else print(table(['id', 'from', 'to', 'state', 'carried', 'longest pause'], reports.map((report) => {
    const pauses = report.workloads.flatMap(({ pauseMs }) => pauseMs ?? []);
    const restored = report.workloads.filter(({ fate }) => fate === 'restored').length;
    return [report.id, report.from, report.to, report.abandoned === true ? 'abandoned' : report.state, `${restored.toString()} of ${report.workloads.length.toString()}`, pauses.length === 0 ? '-' : duration(Math.max(...pauses))];
  })));
}

function show({ json, store }: ReadFlags, id: string): void {
  const reports = unwrap(loadAll(store));
  if (reports === undefined) return;
  const report = reports.find((each) => each.id === id);
  if (report === undefined) process.exitCode = reportFailure({ reason: 'upgrade-unknown', id });
  else tell(report, json);
}

const read = { json: flags.json, store: flags.store };

export const statusCommand = buildCommand({
  func: status,
  parameters: { flags: { ...read, wait: { kind: 'boolean', brief: 'Wait until the upgrade has ended', default: false, withNegated: false } } },
  docs: { brief: 'Say where the newest upgrade stands' },
});

export const historyCommand = buildCommand({ func: history, parameters: { flags: read }, docs: { brief: 'List all upgrades of this machine' } });

export const showCommand = buildCommand({
  func: show,
  parameters: { flags: read, positional: { kind: 'tuple', parameters: [{ brief: 'As `segue history` names it', parse: (input: string) => input, placeholder: 'ID' }] } },
  docs: { brief: 'Tell one upgrade by workload and phase' },
});
