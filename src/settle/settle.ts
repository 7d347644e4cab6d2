import { existsSync, promises as fs } from 'node:fs';
import { failed, ok, type Result } from '../failure/result.ts';
import { handoverPaths, WAY_BACK } from '../model/handover.ts';
import { words } from '../failure/words.ts';
import { runningKernel } from '../survey/machine.ts';
import { daemonReload } from '../tools/systemctl.ts';
import { run } from '../tools/command.ts';
import { deleteLockTables } from '../tools/nft.ts';
import { lastArrival, makeReport, type UpgradeReport } from '../report/report.ts';
import { readArrival } from '../store/arrival.ts';
import { openJournal, readJournal, type JournalEvent } from '../store/journal.ts';
import { storeAt } from '../store/store.ts';
import { propertiesOf, settledEnding } from './ending.ts';
import { keepImages } from './forget.ts';

/** Held by whatever gives memory to restored tasks (boot/memory). */
const MEMORY_LOCK = '/run/segue/memory.lock';
/** That they get what they have not asked for as well. Before, those who have just been restored, and the boot, want the processors. */
const FILL = '/run/segue/fill';

/**
 * After the last restore: checks that every workload is back as its own main process, opens what is still locked, takes
 * the drop-ins away so that the units are their own again, wipes the images, and writes the report.
 */
export async function settle(): Promise<Result<UpgradeReport>> {
  const jump = readArrival();
  const events = jump === undefined ? undefined : readJournal(jump.store, jump.id);
  if (jump === undefined || events === undefined) return failed({ reason: 'not-after-a-jump' });
  const paths = handoverPaths(jump.store, jump.id);
  // Whoever starts a kernel with the command line of the one before wants no more of what is over; nor does who asks twice.
  if (existsSync(paths.settled)) return ok(makeReport(jump.id, events));
  const images = storeAt(jump.store, jump.id);
  // Memory that is still to come is in them, and a task that cannot get it is started afresh as long as nothing is settled.
  if (existsSync(MEMORY_LOCK)) {
    await fs.writeFile(FILL, '');
    await run(['flock', MEMORY_LOCK, 'true']);
  }
  const journal = openJournal(jump.store, jump.id, runningKernel());
  const way = jump.wayBack?.way;
  // Where something is restored boot/lock has said it.
  if (way === 'afresh' || way === 'lost') journal.append({ event: 'came-back', why: jump.wayBack?.why });
  journal.append({ event: 'settling' });

  // From here on the generator has nothing to say; the reload takes its drop-ins away. Units that exist in /run only
  // would go with them: they are laid back first.
  await fs.mkdir('/run/segue', { recursive: true });
  await fs.cp(`${paths.handover}/runtime-units`, '/run/systemd/system', { recursive: true }).catch(() => undefined);
  await fs.writeFile('/run/segue/settled', '');
  // In such a boot nobody else has opened it.
  if (way === 'lost') await images.reopen();
  const reloaded = await daemonReload();
  if (!reloaded.ok) return reloaded;
  for (const name of await fs.readdir('/run/systemd/network').catch(() => [])) await fs.rm(`/run/systemd/network/${name}/zz-segue.conf`, { force: true }).catch(() => undefined);
  await fs.rm('/run/systemd/networkd.conf.d/zz-segue.conf', { force: true });
  // Their devices are there by now.
  for (const words of (await fs.readFile(`${paths.state}/borrowed-addresses`, 'utf8').catch(() => '')).split('\n').filter(Boolean)) await run(['ip', 'address', 'delete', ...words.replace(' nodad', '').split(' ')]);
  const unlocked = await deleteLockTables();
  if (!unlocked.ok) return unlocked;

  const before = makeReport(jump.id, events);
  const restoredBy = (some: readonly JournalEvent[]): Set<string> => new Set(some.flatMap((event) => (event.event === 'restored' ? (event.unit ?? []) : [])));
  const everRestored = restoredBy(events);
  const restored = way === 'afresh' || way === 'lost' ? new Set<string>() : restoredBy(lastArrival(events));
  const said = await propertiesOf(before.workloads.map(({ unit }) => unit));
  const back: string[] = [];
  for (const { unit, pid, fate } of before.workloads) {
    if (fate === 'stopped') continue;
    const { runs, done, mainPid } = await settledEnding(unit, restored.has(unit), said.get(unit));
    const runsOn = restored.has(unit) && (runs ? mainPid === pid : done);
    if (!runsOn) journal.append({ event: runs || done ? 'afresh' : 'failed', unit });
    // On the way back: it had come back in the kernel that went down.
    if (runsOn || (way !== undefined && everRestored.has(unit))) back.push(unit);
  }
  // A scope is started by nobody but who made it (systemd.scope(5)).
  for (const { unit } of before.workloads.filter(({ unit, fate }) => fate === 'stopped' && !unit.endsWith('.scope'))) {
    const { runs, done } = await settledEnding(unit, false, said.get(unit));
    if (!runs && !done) journal.append({ event: 'failed', unit, why: `it was stopped, and could not be started again: see systemctl status ${unit}` });
  }

  // The images of what could not be restored are kept for a while; everything else held secrets and is of no more use.
  // Nobody asks for images when everything was to start afresh.
  const kept = way === 'afresh' ? [] : (await fs.readdir(`${paths.handover}/workloads`).catch(() => [])).filter((unit) => !back.includes(unit));
  const days = events.findLast(({ event }) => event === 'begun')?.keepImages ?? 0;
  if (kept.length > 0 && days > 0) {
    for (const unit of back) await fs.rm(paths.workload(unit), { recursive: true, force: true });
    for (const name of await fs.readdir(paths.handover)) if (name !== 'workloads') await fs.rm(`${paths.handover}/${name}`, { recursive: true, force: true });
    await images.forgetKey();
    await keepImages(jump.store, jump.id, days);
  } else {
    const wiped = await images.wipe();
    if (!wiped.ok) journal.append({ event: 'state-skipped', what: `the images could not be wiped: ${words(wiped.failure).why ?? wiped.failure.reason}` });
  }
  journal.append({ event: 'settled' });
  await fs.writeFile(paths.settled, '', { flush: true, mode: 0o600 });
  await fs.rm(WAY_BACK, { force: true });
  return ok(makeReport(jump.id, readJournal(jump.store, jump.id) ?? events));
}
