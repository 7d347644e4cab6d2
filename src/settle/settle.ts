import { promises as fs } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { failed, ok, type Result } from '../failure/result.ts';
import { handoverPaths } from '../model/handover.ts';
import { runningKernel } from '../survey/machine.ts';
import { daemonReload, isActive, show } from '../tools/systemctl.ts';
import { run } from '../tools/command.ts';
import { deleteLockTables } from '../tools/nft.ts';
import { makeReport, type UpgradeReport } from '../report/report.ts';
import { openJournal, readJournal } from '../store/journal.ts';

/** How long a service that is started afresh may take until the report calls it failed, milliseconds. */
const AFRESH_MILLISECONDS = 120_000;

/** `segue.upgrade=` and `segue.store=` of the running kernel's command line. */
export function jumpOf(commandLine: string): { id: string; store: string } | undefined {
  const id = /(?:^|\s)segue\.upgrade=([0-9A-Za-z-]+)(?:\s|$)/.exec(commandLine)?.[1];
  return id === undefined ? undefined : { id, store: /(?:^|\s)segue\.store=(\S+)/.exec(commandLine)?.[1] ?? '/var/lib/segue' };
}

async function settledState(unit: string): Promise<{ active: boolean; mainPid: number }> {
  const end = performance.now() + AFRESH_MILLISECONDS;
  for (;;) {
    const shown = await show([unit], ['ActiveState', 'MainPID']);
    const state = shown.ok ? shown.value[0] : undefined;
    const active = state?.['ActiveState'];
    if ((active !== 'activating' && active !== 'deactivating') || performance.now() > end) return { active: active === 'active', mainPid: Number(state?.['MainPID'] ?? 0) };
    await sleep(200);
  }
}

/**
 * After the last restore: checks that every workload is back as its own main process, opens what is still locked, takes
 * the drop-ins away so that the units are their own again, wipes the images, and writes the report.
 */
export async function settle(): Promise<Result<UpgradeReport>> {
  const jump = jumpOf(await fs.readFile('/proc/cmdline', 'utf8'));
  const events = jump === undefined ? undefined : readJournal(jump.store, jump.id);
  if (jump === undefined || events === undefined) return failed({ reason: 'not-after-a-jump' });
  const paths = handoverPaths(jump.store, jump.id);
  const journal = openJournal(jump.store, jump.id, runningKernel());
  journal.append({ event: 'settling' });

  // From here on the generator has nothing to say; the reload takes its drop-ins away. Units that exist in /run only
  // would go with them: they are laid back first.
  await fs.mkdir('/run/segue', { recursive: true });
  await fs.cp(`${paths.handover}/runtime-units`, '/run/systemd/system', { recursive: true }).catch(() => undefined);
  await fs.writeFile('/run/segue/settled', '');
  const reloaded = await daemonReload();
  if (!reloaded.ok) return reloaded;
  for (const name of await fs.readdir('/run/systemd/network').catch(() => [])) await fs.rm(`/run/systemd/network/${name}/zz-segue.conf`, { force: true }).catch(() => undefined);
  const unlocked = await deleteLockTables();
  if (!unlocked.ok) return unlocked;

  const before = makeReport(jump.id, events);
  const restored = new Set(events.flatMap((event) => (event.event === 'restored' ? (event.unit ?? []) : [])));
  for (const { unit, pid, fate } of before.workloads) {
    if (fate === 'stopped') continue;
    let { active, mainPid } = await settledState(unit);
    if (!active) {
      // It came back and has ended since, when Restart= did not count yet; or its fresh start failed. Once more.
      await run(['systemctl', 'start', '--', unit]);
      ({ active, mainPid } = await settledState(unit));
    }
    if (active && restored.has(unit) && mainPid === pid) await fs.rm(paths.workload(unit), { recursive: true, force: true });
    else if (active) journal.append({ event: 'afresh', unit });
    else journal.append({ event: 'failed', unit });
  }
  for (const { unit } of before.workloads.filter(({ fate }) => fate === 'stopped')) if (!(await isActive(unit))) await run(['systemctl', 'start', '--', unit]);

  // The images of what could not be restored are kept; everything else held secrets and is of no more use.
  const kept = await fs.readdir(`${paths.handover}/workloads`).catch(() => []);
  if (kept.length === 0) await fs.rm(paths.handover, { recursive: true, force: true });
  else for (const name of await fs.readdir(paths.handover)) if (name !== 'workloads') await fs.rm(`${paths.handover}/${name}`, { recursive: true, force: true });
  journal.append({ event: 'settled' });
  return ok(makeReport(jump.id, readJournal(jump.store, jump.id) ?? events));
}
