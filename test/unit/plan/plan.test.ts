import { describe, expect, test } from 'vitest';
import { choose, makePlan, neededBytes, type Plan, type PlanOptions } from '../../../src/plan/plan.ts';
import type { Initramfs } from '../../../src/model/initramfs.ts';
import type { Step } from '../../../src/model/step.ts';
import type { StoreChoice } from '../../../src/model/store.ts';
import type { Survey } from '../../../src/model/survey.ts';
import type { Workload } from '../../../src/model/workload.ts';
import { handoverPaths, WAY_BACK } from '../../../src/model/handover.ts';
import { tmpfs } from '../../../src/state/tmpfs.ts';
import { byPriority } from '../../../src/plan/priority.ts';
import { listening, mount, survey, task, workload } from '../survey/builders.ts';

const blocked = workload('blocked.service', { obstacles: [{ kind: 'terminal', pid: 9000, path: '/dev/tty1' }] });

/** Two trees, one of them stopped by its user, a sandbox and files of its own. */
function rich(): Workload {
  const root = task(5000, { comm: 'main', startTime: 77, memory: 64 * 2 ** 20 });
  const child = task(5001, { parent: 5000, session: 5000, processGroup: 5000, threads: [5001, 5002] });
  const second = task(6000, { comm: 'helper', session: 5000 });
  return workload('rich.service', {
    trees: [{ root, tasks: [root, child] }, { root: second, tasks: [second] }],
    mainPid: 5000,
    entered: ['mnt', 'uts'],
    privateUsers: true,
    logStreams: [31],
    outsideFiles: ['1a:4'],
    pressureFiles: [{ key: '1c:9', path: '/sys/fs/cgroup/system.slice/rich.service/memory.pressure' }],
    privateMounts: [mount('/tmp', { root: '/systemd-private-1/tmp' }), mount('/var/tmp', { root: '/var/tmp/systemd-private-1/tmp' })],
    sockets: [listening(6379)],
  });
}

const own: Initramfs = { kind: 'own', folder: '/var/lib/segue/upgrades/20260102-030405/handover/initramfs', file: '/var/lib/segue/upgrades/20260102-030405/handover/initramfs/initramfs.img', modules: ['/lib/modules/7.3.4/disk.ko.xz', '/lib/modules/7.3.4/net_card.ko'], script: 'make it\n' };

const ID = '20260102-030405';

const onDisk: StoreChoice = { place: { kind: 'disk', vault: handoverPaths('/var/lib/segue', ID).vault } };

async function plan(seen: Survey, afresh: readonly string[] = [], initramfs: Initramfs = own, snapshots: Pick<PlanOptions, 'prepare' | 'activity'> & Partial<Pick<PlanOptions, 'wayBack' | 'watchdog' | 'back' | 'endsSilentServices'>> = { prepare: true, activity: new Map() }, keptIn = onDisk): Promise<Plan> {
  const chosen = choose(seen, afresh);
  if (!chosen.ok) throw new Error(chosen.failure.reason);
  // What there is besides tasks, in the example of files on tmpfs.
  const state = await tmpfs.carry({ paths: handoverPaths('/var/lib/segue', ID), survey: seen, carried: chosen.value.carried });
  if (!state.ok) throw new Error(state.failure.reason);
  return makePlan(chosen.value, state.value, {
    id: ID,
    store: '/var/lib/segue',
    keptIn,
    from: '6.12.1',
    to: { release: '7.3.4', image: '/boot/vmlinuz-7.3.4', initrd: '/boot/initrd.img-7.3.4' },
    initramfs,
    wayBack: 'restore',
    watchdog: { kind: 'none' },
    endsSilentServices: true,
    limits: new Map([['limited.service', '50000 100000']]),
    ...snapshots,
    keepImages: 7,
    afresh: ['ssh.service'],
    machine: { machineId: '0'.repeat(32), bootId: 'f00', commandLine: 'root=/dev/vda ro', pidMax: 4_194_304, reservedPids: 300, lastPid: 4000, processors: 2, hugePagesPace: 10_000 },
  });
}

describe('with a unit that is required', () => {
  const required = workload('required.service', { unitFiles: [{ path: '/', content: '[Service]\nExecStopPost=former\nExecStopPost=\nExecStopPost=own\n[X-Segue]\nRequired=yes\n' }], sockets: [listening(90)] });
  const back = { release: '6.12.1', image: '/boot/vmlinuz-6.12.1', initrd: '/boot/initrd.img-6.12.1' };
  const made = (more: Partial<Pick<PlanOptions, 'wayBack' | 'back'>>) => plan(survey([workload('other.service', { sockets: [listening(80)] }), required]), [], own, { prepare: false, activity: new Map(), back, ...more });
  const content = ({ steps, paths }: Plan, name: string) => steps.flatMap(({ action }) => (action.kind === 'write' && action.path === `${paths.handover}/${name}` ? [action.content] : []));

  test('it is restored before anybody else runs, and the new kernel knows how to start the one before', async () => {
    const done = await made({});
    expect(content(done, 'required')).toEqual(['required.service\n']);
    expect(content(done, 'old-kernel')).toEqual(['/boot/vmlinuz-6.12.1\n/boot/initrd.img-6.12.1\nroot=/dev/vda ro\n']);
    expect(content(done, 'units/other.service')[0]).toContain('After=required.service\n');
    expect(content(done, 'critical.list')).toEqual(['required.service\n']);
    // Before what the unit itself does when it has ended.
    expect(content(done, 'units/required.service')[0]).toMatch(/\nExecStopPost=\nExecStopPost=\+\/usr\/lib\/segue\/turn-back %n\nExecStopPost=own\n/);
    expect(content(done, 'units/other.service')[0]).not.toContain('turn-back');
  });

  test('where there is no way back nobody turns', async () => {
    for (const more of [{ wayBack: 'afresh' }, { back: undefined }] as const) expect(content(await made(more), 'required')).toEqual([]);
  });
});

const WATCHDOG = { identity: 'a timer', before: '30000000' };
const stepsOf = ({ steps }: Plan, word: RegExp) => steps.filter(({ title }) => word.test(title));

test('a watchdog counts anew from right before the jump, and the new kernel is told its driver', async () => {
  const made = await plan(survey([]), [], own, { prepare: false, activity: new Map(), watchdog: { kind: 'counts', ...WATCHDOG, seconds: 300, drivers: ['timer'], goesOn: true } });
  const [note, set] = stepsOf(made, /watchdog/);
  expect(note?.action).toMatchObject({ kind: 'write', path: expect.stringMatching(/\/state\/watchdog$/) as string, content: 'timer\n' });
  expect(set).toMatchObject({ phase: 'jump', action: { kind: 'run', argv: expect.arrayContaining(['301000000', '300000000']) as string[] }, undo: { kind: 'run', argv: expect.arrayContaining(['30000000']) as string[] } });
});

test('one that is of no use is stopped, if systemd has set it', async () => {
  const made = (before: string) => plan(survey([]), [], own, { prepare: false, activity: new Map(), watchdog: { kind: 'stopped', ...WATCHDOG, before, why: 'it is too short' } });
  expect(stepsOf(await made('30000000'), /watchdog/)).toMatchObject([{ title: 'stop the watchdog, as it is too short', action: { kind: 'run', argv: expect.arrayContaining(['0']) as string[] }, undo: { kind: 'run', argv: expect.arrayContaining(['30000000']) as string[] } }]);
  expect(stepsOf(await made('0'), /watchdog/)).toEqual([]);
});

test('systemd ends nobody for not reporting while it stands still', async () => {
  const made = (WatchdogUSec: string, endsSilentServices = true) => plan(survey([workload('reports.service', { properties: { WatchdogUSec } })]), [], own, { prepare: true, activity: new Map(), endsSilentServices });
  const done = await made('30s');
  const [step] = stepsOf(done, /not reporting/);
  expect(step).toMatchObject({ phase: 'park', action: { kind: 'run', argv: ['systemctl', 'service-watchdogs', 'no'] }, undo: { kind: 'run', argv: ['systemctl', 'service-watchdogs', 'yes'] } });
  expect(done.steps.indexOf(step!)).toBeLessThan(done.steps.findIndex(({ action }) => action.kind === 'look'));
  for (const nobody of [await made('0'), await made('infinity'), await made('30s', false)]) expect(stepsOf(nobody, /not reporting/)).toEqual([]);
});

const full = await plan(
  survey([workload('plain.service', { sockets: [listening(80)] }), rich(), blocked], { hostMounts: [mount('/run'), mount('/tmp'), mount('/dev/shm')] }),
  ['blocked'],
);
const { steps, paths } = full;
const index = (test: (step: Step) => boolean): number => {
  const found = steps.findIndex(test);
  if (found < 0) throw new Error('there is no such step');
  return found;
};
const indices = (test: (step: Step) => boolean): number[] => steps.flatMap((step, at) => (test(step) ? [at] : []));
const runs = (step: Step, ...words: string[]): boolean => step.action.kind === 'run' && words.every((word, at) => step.action.kind === 'run' && step.action.argv[at] === word);
const written = (path: string): string => {
  const step = steps.find(({ action }) => action.kind === 'write' && action.path === path);
  if (step?.action.kind !== 'write') throw new Error(`${path} is not written`);
  return step.action.content;
};

const hold = index(({ title }) => title.startsWith('hold new connections back'));
const drain = index(({ action }) => action.kind === 'drain');
const lock = index(({ title }) => title.startsWith('lock the sockets'));
const dumps = indices(({ action }) => action.kind === 'dump');
const archives = indices((step) => runs(step, 'tar'));
const seal = index(({ action }) => action.kind === 'seal');
const park = indices(({ phase }) => phase === 'park');

test('of the most critical the archives are made last, and beside their images the journal is closed; they are also restored before it', async () => {
  const critical = { unitFiles: [{ path: '/x', content: '[X-Segue]\nPriority=90\n' }] };
  const { steps: both, paths: at } = await plan(survey([workload('batch.service', { privateMounts: [mount('/tmp')] }), workload('large.service', { ...critical, memory: 2 ** 30 }), workload('small.service', critical)]));
  const order = both.flatMap(({ title, unit, lane }) => (lane === undefined ? [] : [`${lane.of}: ${unit ?? title}`]));
  expect(order.filter((line, before) => line !== order[before - 1])).toEqual(['images: batch.service', 'archives: batch.service', 'ends: seal those of priority 20', "images: close the system's journal on disk", 'images: large.service', 'images: small.service', 'ends: seal those of priority 90']);
  const content = (path: string) => both.flatMap(({ action }) => (action.kind === 'write' && action.path === path ? [action.content] : []));
  expect(content(`${at.handover}/critical.list`)).toEqual(['small.service\nlarge.service\n']);
  expect(content(`${at.units}/systemd-journald.service.d/segue.conf`)).toEqual(['[Unit]\nAfter=small.service large.service\n']);
});

test('where nobody listens no connection is held back or waited for, and giving up opens the lock', async () => {
  const { steps: quiet } = await plan(survey([workload('quiet.service')]));
  expect(quiet.filter(({ action }) => action.kind === 'drain')).toEqual([]);
  const nft = quiet.filter((step) => runs(step, 'nft', '-f'));
  expect(nft.map(({ title, undo }) => [title, undo])).toEqual([['lock the sockets of those of priority 20', { kind: 'unlock' }]]);
});

test('who has no obstacle is carried, and who has one may be stopped', () => {
  const seen = survey([workload('a.service'), blocked]);
  const chosen = choose(seen, ['blocked.service']);
  expect(chosen.ok && chosen.value.carried.map(({ unit }) => unit)).toEqual(['a.service']);
  expect(chosen.ok && chosen.value.stopped.map(({ unit }) => unit)).toEqual(['blocked.service']);
});

test('an obstacle that nobody allowed blocks the upgrade', () => {
  expect(choose(survey([workload('a.service'), blocked]), [])).toEqual({ ok: false, failure: { reason: 'obstacles', blocked: [blocked] } });
});

test('a unit can be named without its suffix, and also when it could be carried', () => {
  const chosen = choose(survey([workload('a.service')]), ['a']);
  expect(chosen.ok && chosen.value).toMatchObject({ carried: [], stopped: [{ unit: 'a.service' }] });
});

test('a unit that is started afresh anyway can be named', () => {
  const seen = survey([workload('a.service')], { afresh: [{ unit: 'session-1.scope', description: '', why: '' }] });
  expect(choose(seen, ['session-1.scope'])).toMatchObject({ ok: true });
});

test('a unit that does not run is unknown', () => {
  expect(choose(survey([workload('a.service')]), ['b'])).toEqual({ ok: false, failure: { reason: 'unit-unknown', unit: 'b.service' } });
});

test('the store needs room for the memory of all, and something for logs', () => {
  expect(neededBytes([], 0, false)).toBe(64 * 2 ** 20);
  expect(neededBytes([], 2 ** 30, false)).toBe(2 ** 30 + 64 * 2 ** 20);
  expect(neededBytes([workload('a.service', { memory: 2 ** 30 }), workload('b.service', { memory: 2 ** 30 })], 0, false)).toBeGreaterThan(2 * 2 ** 30);
});

test('the phases come one after the other', () => {
  const order = ['prepare', 'snapshot', 'park', 'jump'];
  const seen = steps.map(({ phase }) => order.indexOf(phase));
  expect(seen).toEqual(seen.toSorted((a, b) => a - b));
  expect(new Set(seen).size).toBe(4);
});

test('the new kernel is loaded before anything is parked', () => {
  const load = index((step) => runs(step, 'kexec', '--load'));
  expect(load).toBeLessThan(Math.min(...park));
  expect(steps[load]?.undo).toMatchObject({ kind: 'run', argv: expect.arrayContaining(['--unload']) as string[] });
});

test('it is tried whether all can be locked before anybody is', () => {
  const tried = index((step) => runs(step, 'nft', '--check'));
  const rules = (at: number): string[] => {
    const action = steps[at]?.action;
    return action?.kind === 'run' ? (action.input ?? '').split('\n').filter((line) => line.startsWith('    ')) : [];
  };
  expect(tried).toBeLessThan(steps.findIndex(({ phase }) => phase === 'snapshot' || phase === 'park'));
  expect(rules(tried)).toEqual(rules(lock));
  expect(rules(tried).length).toBeGreaterThan(4);
});

test('connections are held back, then accepted, then locked, before the first process is imaged', () => {
  expect([hold, drain, lock, dumps[0]]).toEqual([hold, drain, lock, dumps[0]].toSorted((a, b) => a! - b!));
  expect(steps[drain]?.action).toMatchObject({ ports: [80, 6379] });
  expect(steps[hold]?.undo).toEqual({ kind: 'unlock' });
});

describe('snapshots', () => {
  const GIB = 2 ** 30;
  const sized = (unit: string, memory: number, settings = '') =>
    workload(unit, { trees: [{ root: task(7000, { memory }), tasks: [task(7000, { memory })] }], unitFiles: [{ path: '/x', content: `[Service]\n[X-Segue]\n${settings}\n` }] });
  const steps = async (prepare: boolean, ...chosen: ReturnType<typeof sized>[]) =>
    (await plan(survey(chosen), [], own, { prepare, activity: new Map([['busy.service', 0.9], ['limited.service', 0.5], ['asleep.service', 0.001], ['small.service', 0]]) })).steps;
  const all = [sized('busy.service', GIB), sized('asleep.service', GIB), sized('small.service', 2 ** 20)];
  const kinds = (some: Awaited<ReturnType<typeof steps>>) => some.filter(({ action }) => action.kind.startsWith('snapshot')).map(({ unit, phase, action }) => `${phase} ${unit ?? ''} ${action.kind}`);

  test('who sleeps comes before who works, and is imaged whole; what is small is no matter of memory alone', async () => {
    expect(kinds(await steps(true, ...all))).toEqual([
      'snapshot small.service snapshot-whole', 'snapshot asleep.service snapshot', 'snapshot asleep.service snapshot-whole', 'snapshot busy.service snapshot',
      'snapshot busy.service snapshot-slowed',
    ]);
    expect(kinds(await steps(true, sized('busy.service', GIB, 'Priority=90'), sized('small.service', 2 ** 20))).slice(-3)).toEqual([
      'snapshot busy.service snapshot', 'snapshot busy.service snapshot-slowed', 'park busy.service snapshot',
    ]);
  });

  test('no two steps have one name: what is begun under it is undone once', async () => {
    const groups = await steps(true, ...['Priority=90', 'Priority=10', 'Required=yes'].map((settings, at) => sized(`asleep${at}.service`, GIB, settings)), ...all);
    const names = groups.map(({ title, unit }) => `${unit ?? ''}: ${title}`);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  });

  test('who is slowed down is so before anybody waits, and as fast as before when it is imaged, or all is undone', async () => {
    const all = await steps(true, sized('busy.service', GIB), sized('limited.service', GIB), sized('asleep.service', GIB));
    const slowed = all.filter(({ action }) => action.kind === 'snapshot-slowed');
    expect(slowed.map(({ undo }) => undo)).toEqual([
      { kind: 'full-speed', controlGroup: '/system.slice/busy.service', limit: 'max 100000' },
      { kind: 'full-speed', controlGroup: '/system.slice/limited.service', limit: '50000 100000' },
    ]);
    expect(Math.max(...slowed.map((step) => all.indexOf(step)))).toBeLessThan(all.findIndex(({ phase }) => phase === 'park'));
    const limits = all.flatMap(({ unit, action }) => (action.kind === 'dump' ? [[unit, action.limit]] : []));
    expect(limits).toEqual([['busy.service', 'max 100000'], ['limited.service', '50000 100000'], ['asleep.service', undefined]]);
  });

  test('what was split into small pages stays so until all stand still, or all is undone', async () => {
    const paces = (some: readonly Step[]) => some.flatMap(({ action, undo }) => (action.kind === 'make-huge-pages' ? [{ action, undo }] : []));
    const all = await steps(true, sized('busy.service', GIB));
    expect(paces(all)).toEqual([{ action: { kind: 'make-huge-pages', everyMilliseconds: 3_600_000 }, undo: { kind: 'make-huge-pages', everyMilliseconds: 10_000 } }]);
    expect(all.findIndex(({ action }) => action.kind === 'make-huge-pages')).toBe(all.findIndex(({ action }) => action.kind === 'snapshot-slowed') - 1);
    expect(paces(await steps(true, sized('small.service', 2 ** 20)))).toEqual([]);
  });

  test('nobody is held when that is told', async () => {
    expect(kinds(await steps(false, ...all))).toEqual([]);
    expect(kinds(await steps(true, sized('asleep.service', GIB, 'Snapshot=no')))).toEqual([]);
  });

  test('nor is anybody whose profile of AppArmor forbids that; it only complains before anybody is imaged', async () => {
    const root = task(7000, { memory: GIB, profile: 'named', confined: true });
    const confined = await steps(true, { ...sized('asleep.service', GIB), trees: [{ root, tasks: [root] }] });
    expect(kinds(confined)).toEqual([]);
    const titles = confined.filter(({ phase }) => phase === 'park').map(({ title }) => title);
    expect(titles[0]).toContain('AppArmor');
    expect(titles.slice(1).join()).toContain('image ');
  });

  test('whoever has a whole image is stopped and looked at before others of its priority are imaged', async () => {
    const order = (await steps(true, ...all)).map(({ title, action: { kind } }) => (title.startsWith('lock the sockets') ? 'lock' : kind)).filter((kind) => ['look', 'lock', 'prove', 'dump'].includes(kind));
    expect(order).toEqual(['look', 'lock', 'prove', 'dump', 'dump', 'dump']);
  });
});

test('the least critical is parked first: by name, by its sockets, by who needs it', () => {
  const named = (unit: string, priority: number, more = {}) => workload(unit, { unitFiles: [{ path: '/x', content: `[Service]\nPriority=99\n[X-Segue]\nPriority=${priority}\n` }], ...more });
  const groups = byPriority([
    workload('serves.service', { sockets: [listening(80)] }), workload('job.service'), named('batch.service', 5),
    workload('database.service'), named('shop.service', 90, { properties: { After: 'x.target database.service' } }),
  ]);
  expect(groups.map(({ priority, workloads }) => [priority, workloads.map(({ unit }) => unit)])).toEqual([
    [5, ['batch.service']], [20, ['job.service']], [50, ['serves.service']], [90, ['database.service', 'shop.service']],
  ]);
});

test('every tree is imaged once, and for each there is a way back', () => {
  expect(dumps.map((at) => steps[at]?.action)).toMatchObject([
    { unit: 'plain.service', pid: 4000, startTime: 40_000 },
    { unit: 'rich.service', pid: 5000, startTime: 77, privateUsers: true },
    { unit: 'rich.service', pid: 6000 },
  ]);
  for (const at of dumps) expect(steps[at]?.undo).toMatchObject({ kind: 'resume', controlGroup: `/system.slice/${steps[at]?.unit ?? ''}` });
});

test('a tree whose session leads from outside is imaged as a shell job', () => {
  const options = dumps.map((at) => {
    const action = steps[at]?.action;
    return action?.kind === 'dump' && action.argv.includes('--shell-job');
  });
  expect(options).toEqual([false, false, true]);
});

test('what changes in the parked machine is archived after the last image, and sealed after the last archive', () => {
  expect(archives).toHaveLength(5);
  expect(Math.min(...archives)).toBeGreaterThan(Math.max(...dumps));
  expect(seal).toBeGreaterThan(Math.max(...archives));
  for (const at of indices(({ phase, action }) => (phase !== 'jump' && action.kind === 'write') || action.kind === 'open-store' || action.kind === 'link')) expect(at).toBeLessThan(Math.min(...park));
});

test('the seal has every workload with the folder of each of its trees', () => {
  expect(steps[seal]?.action).toMatchObject({ units: ['plain.service', 'rich.service'] });
  const workloads = steps.flatMap(({ action }) => (action.kind === 'seal-workloads' ? action.workloads : []));
  expect(workloads.toSorted((a, b) => a.unit.localeCompare(b.unit))).toMatchObject([
    { unit: 'plain.service', hostNetwork: true, images: [`${paths.tree('plain.service', 4000)}/images`] },
    { unit: 'rich.service', hostNetwork: true, images: [`${paths.tree('rich.service', 5000)}/images`, `${paths.tree('rich.service', 6000)}/images`] },
  ]);
});

test('the disks are written before the jump, and the jump is the last step', () => {
  const [own = NaN] = indices(({ phase, action }) => phase === 'jump' && action.kind === 'sync');
  expect(steps.slice(own, own + 2).map(({ action }) => action)).toEqual([{ kind: 'sync', path: paths.handover, limitSeconds: 60 }, { kind: 'sync', limitSeconds: 60 }]);
  expect(indices(({ action }) => action.kind === 'jump')).toEqual([steps.length - 1]);
});

test('what has begun since the plan has time to end, and the last look is whether all stand still as they were imaged', () => {
  const newcomers = indices(({ action }) => action.kind === 'await-newcomers');
  expect(newcomers).toHaveLength(2);
  expect(newcomers[0]).toBeLessThan(indices(({ phase }) => phase === 'park')[0]!);
  expect(steps[newcomers[1]!]?.action).toMatchObject({ known: expect.arrayContaining(['ssh.service', 'plain.service', 'rich.service']) as string[] });
  expect(steps.at(-3)?.action).toMatchObject({ kind: 'confirm', workloads: expect.arrayContaining([expect.objectContaining({ unit: 'plain.service' })]) as unknown[] });
});

test('nobody who forbids a shutdown is cut off, but for those who are stopped in any case', () => {
  const [before = NaN, last = NaN] = indices(({ action }) => action.kind === 'await-inhibitors');
  expect(before).toBeLessThan(indices(({ phase }) => phase === 'park')[0]!);
  expect(steps[last]).toMatchObject({ phase: 'jump', action: { stopped: ['/system.slice/blocked.service'] } });
});

test('everybody comes before the encryption of the images until somebody waits for it', () => {
  const [lowest = NaN, usual = NaN] = indices(({ action }) => action.kind === 'store-nice');
  expect([steps[lowest]?.action, steps[usual]?.action]).toMatchObject([{ nice: 19 }, { nice: 0 }]);
  for (const at of indices(({ action }) => action.kind === 'snapshot' || action.kind === 'snapshot-whole')) {
    expect(at).toBeGreaterThan(lowest);
    expect(at).toBeLessThan(usual);
  }
  expect(usual).toBeLessThan(indices(({ action }) => action.kind === 'sync')[0]!);
});

test('the disks catch up before anybody stands still', () => {
  const [catchUp = NaN] = indices(({ action }) => action.kind === 'sync');
  expect(catchUp).toBeLessThan(indices(({ phase }) => phase === 'park')[0]!);
});

test('a boot that is no jump finds the hand-over only when everything is on disk, and no more once it was given up', () => {
  expect(steps.at(-2)).toMatchObject({
    action: { kind: 'write', path: '/etc/segue/way-back', content: '20260102-030405 /var/lib/segue f00\n' },
    undo: { kind: 'remove', path: '/etc/segue/way-back' },
  });
});

test('the hand-over says what to do then, and which process ids are to stay free, as the command line does', () => {
  const load = steps.find((step) => runs(step, 'kexec', '--load'));
  const words = load?.action.kind === 'run' ? load.action.argv.join(' ') : '';
  const lastPid = /ns_last_pid=(\d+)/.exec(words)?.[1] ?? '';
  expect(written(`${paths.handover}/way-back`)).toBe(`4194304 ${lastPid}\n`);
  expect(Number(lastPid)).toBeGreaterThan(6000);
});

test('what would start it again meanwhile is stopped along with it', async () => {
  const { steps: those } = await plan(survey([workload('docker.service', { properties: { TriggeredBy: 'docker.socket docker.timer' }, obstacles: [{ kind: 'user-namespace' }] })]), ['docker']);
  const [stop] = those.filter(({ title }) => title.startsWith('stop those'));
  expect(stop).toMatchObject({ action: { kind: 'stop', units: ['docker.socket', 'docker.timer', 'docker.service'] }, undo: { argv: ['systemctl', 'start', '--', 'docker.socket', 'docker.timer', 'docker.service'] } });
});

test('who is to be started afresh is stopped before the sockets are held, and started again on the way back', () => {
  const stop = index(({ action }) => action.kind === 'stop' && action.units.includes('blocked.service'));
  expect(stop).toBeLessThan(hold);
  expect(steps[stop]?.undo).toEqual({ kind: 'run', argv: ['systemctl', 'start', '--', 'blocked.service'] });
  expect(full.stopped.map(({ unit }) => unit)).toEqual(['blocked.service']);
});

test('no two steps are called the same', () => {
  const names = steps.map(({ unit, title }) => `${unit ?? ''} ${title}`);
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
});

test('every file of the upgrade is in its hand-over, but the one by which that is found', () => {
  const inMemory = `${paths.vault.key}.`;
  for (const { action } of steps) if ('path' in action && action.path !== WAY_BACK && !action.path.startsWith(inMemory)) expect(action.path.startsWith(paths.handover)).toBe(true);
});

test('boot/restore finds the cgroup, the main process, the trees, the archives and the open files', () => {
  const folder = paths.workload('rich.service');
  expect(written(`${folder}/control-group`)).toBe('/system.slice/rich.service\n');
  expect(written(`${folder}/main`)).toBe('5000\n');
  expect(written(`${folder}/trees.list`)).toBe('5000 --mount --uts\n6000 --mount --uts\n');
  expect(written(`${folder}/files`)).toBe('tmp.tar /tmp\nvar%2Ftmp.tar /var/tmp\n');
  expect(written(`${folder}/trees/5000/descriptors`)).toBe('20 stream\n21 null\n22 pressure /sys/fs/cgroup/system.slice/rich.service/memory.pressure\n');
  expect(written(`${folder}/trees/6000/restore.arguments`)).toContain('--inherit-fd\nfd[20]:socket:[31]\n');
});

test('the archives that are listed are those that are made', () => {
  const made = archives.flatMap((at) => {
    const action = steps[at]?.action;
    return action?.kind === 'run' ? [action.argv[action.argv.indexOf('--file') + 1]] : [];
  });
  const listed = [
    ...written(`${paths.state}/tmpfs`).trim().split('\n').map((line) => `${paths.state}/${line.split(' ')[0] ?? ''}`),
    ...written(`${paths.workload('rich.service')}/files`).trim().split('\n').map((line) => `${paths.workload('rich.service')}/${line.split(' ')[0] ?? ''}`),
  ];
  expect(made.toSorted()).toEqual(listed.toSorted());
});

test('the settling comes after every carried unit, and each of them is restored before the boot goes on', () => {
  expect(written(`${paths.units}/segue-settle.service.d/segue.conf`)).toBe('[Unit]\nAfter=plain.service rich.service\n');
  const wanted = steps.flatMap(({ action }) => (action.kind === 'link' && action.path.includes('.wants/') ? [action.path] : []));
  expect(wanted).toEqual(['plain.service', 'rich.service'].map((unit) => `${paths.units}/segue-restore.target.wants/${unit}`));
});

test('the drop-ins of a carried unit are in the unit that restores it, and nowhere else', async () => {
  const unitFiles = [{ path: '/usr/lib/systemd/system/a.service', content: '[Service]\nUser=a\n' }, { path: '/etc/systemd/system/a.service.d/more.conf', content: '[Service]\nLimitNOFILE=7\n' }];
  const made = await plan(survey([workload('a.service', { unitFiles })]));
  const actions = made.steps.map(({ action }) => action);
  expect(actions).toContainEqual({ kind: 'link', path: `${made.paths.units}/a.service.d/more.conf`, target: '/dev/null' });
  expect(actions.find((action) => action.kind === 'write' && action.path === `${made.paths.units}/a.service`)).toMatchObject({ content: expect.stringMatching(/User=a\n\[Service\]\nLimitNOFILE=7\n/) as string });
});

test('the ids of processes, threads, groups and sessions stay free in the new kernel', () => {
  const load = steps.find((step) => runs(step, 'kexec', '--load'));
  const words = load?.action.kind === 'run' ? load.action.argv.join(' ') : '';
  expect(words).toMatch(/sysctl\.kernel\.ns_last_pid=11000\b/);
});

test('the initramfs is made before the kernel is loaded with it, and removed when the upgrade is given up', () => {
  const make = index(({ title }) => title === 'make an initramfs for this machine and Linux 7.3.4 (disk, net_card)');
  const load = index((step) => runs(step, 'kexec', '--load'));
  expect(make).toBeLessThan(load);
  expect(steps[load + 1]).toMatchObject({ phase: 'prepare', action: { kind: 'remove', path: own.kind === 'own' ? own.folder : '' } });
  expect(steps[make]).toMatchObject({ phase: 'prepare', action: { kind: 'run', argv: ['sh', '-eu'], input: 'make it\n' }, undo: { kind: 'remove', path: '/var/lib/segue/upgrades/20260102-030405/handover/initramfs' } });
  expect(steps[load]).toMatchObject({ title: 'load Linux 7.3.4' });
  expect(runs(steps[load]!, 'kexec', '--load', '--kexec-syscall-auto', '/boot/vmlinuz-7.3.4', `--initrd=${paths.vault.key}.initramfs`)).toBe(true);
  expect(steps[load - 1]?.action).toMatchObject({ input: expect.stringContaining('cat /var/lib/segue/upgrades/20260102-030405/handover/initramfs/initramfs.img >>') as unknown });
});

test('a machine that is beyond us keeps the installed initramfs, and the plan says why', async () => {
  const installed = await plan(survey([]), [], { kind: 'installed', file: '/boot/initrd.img-7.3.4', why: '/ is on a software RAID (md0)' });
  const load = installed.steps.find((step) => runs(step, 'kexec', '--load'));
  expect(load?.title).toBe('load Linux 7.3.4, with its installed initramfs as / is on a software RAID (md0)');
  expect(installed.steps.some(({ action }) => action.kind === 'run' && action.input?.includes('cat /boot/initrd.img-7.3.4 >>') === true)).toBe(true);
  expect(installed.steps.some(({ title }) => title.startsWith('make an initramfs'))).toBe(false);
});

test('with --way-back afresh the key is never on the disk', async () => {
  const touched = (steps: readonly Step[]) => steps.filter(({ action }) => action.kind === 'run' && /systemd-creds|\/key$/.test([...action.argv].join(' '))).map(({ title }) => title);
  const seen = survey([workload('plain.service')]);
  expect(touched((await plan(seen)).steps)).toEqual(['seal the key of the container to this machine', 'leave the sealed key for a boot that finds its way back']);
  expect(touched((await plan(seen, [], own, { prepare: true, activity: new Map(), wayBack: 'afresh' })).steps)).toEqual([]);
});

describe('with the hand-over in memory', async () => {
  const place = { kind: 'ram', ram: { id: ID, region: { start: 2 ** 32, size: 2 ** 30 }, folder: paths.handover, note: paths.ramNote, wayBack: 'restore' } } as const;
  const inMemory = await plan(survey([workload('plain.service', { sockets: [listening(80)] }), rich()]), [], own, undefined, { place, region: place.ram.region });
  const argv = inMemory.steps.flatMap(({ action }) => (action.kind === 'run' ? [action.argv.join(' ')] : []));

  test('that memory is made ready first, and wiped last if the upgrade is given up', () => {
    expect(inMemory.steps[0]).toEqual({ phase: 'prepare', title: 'make the store for the hand-over in memory (1G!4G)', action: { kind: 'open-store', place }, undo: { kind: 'wipe-store', place } });
  });

  test('there is no key: none is made, put before the initramfs, sealed or left on the disk', () => {
    expect(argv.filter((line) => /systemd-creds|cryptsetup|segue\/key/.test(line))).toEqual([]);
    expect(inMemory.steps.some(({ action }) => action.kind === 'run' && action.input?.includes('/dev/segue') === true)).toBe(false);
    const load = argv.find((line) => line.startsWith('kexec --load'));
    expect(load).toContain(`--initrd=${own.kind === 'own' ? own.file : ''} `);
    expect(load).toContain(' memmap=1G!4G segue.ram=1G!4G ');
  });

  test('what is in memory and all that is on disks is written before the jump', () => {
    expect(inMemory.steps.slice(-5, -3).map(({ action }) => action)).toMatchObject([{ kind: 'sync', path: paths.handover }, { kind: 'sync' }]);
    expect(inMemory.steps.at(-2)).toMatchObject({ action: { kind: 'write', path: WAY_BACK } });
  });
});

test('why it is on the disk, though memory was set up, is in the plan, and the new kernel gets that memory all the same', async () => {
  const onceMore = await plan(survey([]), [], own, undefined, { ...onDisk, region: { start: 2 ** 32, size: 2 ** 30 }, why: 'it is too small' });
  expect(onceMore.steps[0]?.title).toBe('make the encrypted container for the hand-over, on the disk as it is too small');
  expect(onceMore.steps.some((step) => step.action.kind === 'run' && step.action.argv.join(' ').includes(' memmap=1G!4G '))).toBe(true);
});
