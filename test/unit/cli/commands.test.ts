import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkRows, ramStoreSentence } from '../../../src/cli/check.ts';
import { commands, hangSentence, requiredSentence, storeSentence, wayBackSentence } from '../../../src/cli/upgrade.ts';
import { handoverPaths } from '../../../src/model/handover.ts';
import type { Action } from '../../../src/model/step.ts';
import type { StoreChoice, StorePlace } from '../../../src/model/store.ts';
import { survey, workload } from '../survey/builders.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'segue dry run-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const replay = (action: Action): string => execFileSync('sh', ['-euc', commands(action)], { encoding: 'utf8' });
const path = (name: string): string => join(folder, name);

test('what a dry run prints for a file, pasted into a shell, writes that file', () => {
  const content = 'a $HOME `id`\n\\n "x" \'y\'\n\tä\n';
  replay({ kind: 'write', path: path('a file'), content });
  expect(readFileSync(path('a file'), 'utf8')).toBe(content);
});

test('what a dry run prints for an empty file writes an empty file', () => {
  replay({ kind: 'write', path: path('empty'), content: '' });
  expect(readFileSync(path('empty'), 'utf8')).toBe('');
});

test('what a dry run prints for a command runs it with its input', () => {
  expect(replay({ kind: 'run', argv: ['cat', '-'], input: 'table inet segue {\n}\n' })).toBe('table inet segue {\n}\n');
  expect(replay({ kind: 'run', argv: ['printf', '%s|', 'a b', "it's"] })).toBe("a b|it's|");
});

test('what a dry run prints for folders and links makes them, and removes them', () => {
  replay({ kind: 'link', path: path('x/link'), target: '/etc/no where' });
  expect(statSync(path('x')).mode & 0o777).toBe(0o700);
  expect(readlinkSync(path('x/link'))).toBe('/etc/no where');
  replay({ kind: 'remove', path: path('x') });
  expect(existsSync(path('x'))).toBe(false);
});

const disk: StorePlace = { kind: 'disk', vault: handoverPaths('/store', '20260101-100000').vault };
const ram: StorePlace = { kind: 'ram', ram: { id: '20260101-100000', region: { start: 2 ** 32, size: 2 ** 30 }, folder: '/store/upgrades/20260101-100000/handover', note: '/store/upgrades/20260101-100000/ram', wayBack: 'restore' } };

test.each<Action>([
  { kind: 'drain', ports: [80, 443], seconds: 15, slowed: [] },
  { kind: 'drain', ports: [80], seconds: 15, slowed: [{ controlGroup: '/system.slice/a.service', limit: 'max 100000' }] },
  {
    kind: 'snapshot-slowed', unit: 'a.service', workload: '/store/a', handover: '/store', controlGroup: '/system.slice/a.service', folder: '/store/a/snapshots', startTime: 1, budget: 1, limit: 'max 100000',
    order: { pid: 1, images: '/store/a/images', entered: [], detachIpc: false, external: [], shellJob: false, memory: 1 },
  },
  { kind: 'make-huge-pages', everyMilliseconds: 3_600_000 },
  { kind: 'full-speed', controlGroup: '/system.slice/a.service', limit: '50000 100000' },
  { kind: 'dump', unit: 'a.service', argv: ['criu', 'dump', '--external', 'unix[3]'], handover: '/store', memory: 0, images: '/store/images', privateUsers: true, renamedSockets: [], controlGroup: '/none', pid: 1, startTime: 1 },
  { kind: 'resume', controlGroup: '/system.slice/a.service', keepStopped: [] },
  { kind: 'unlock' },
  { kind: 'seal-workloads', handover: '/store/handover', workloads: [{ unit: 'a.service', controlGroup: '/system.slice/a.service', hostNetwork: true, archives: [], images: [] }] },
  { kind: 'seal', handover: '/store/handover', units: ['a.service', 'b.service'] },
  { kind: 'store-nice', place: disk, nice: 19 },
  { kind: 'open-store', place: disk },
  { kind: 'wipe-store', place: disk },
  { kind: 'open-store', place: ram },
  { kind: 'wipe-store', place: ram },
  { kind: 'await-newcomers', known: ['a.service', 'b\\x2dc.service'], seconds: 5 },
  { kind: 'await-inhibitors', stopped: ['/system.slice/a.service'], seconds: 5 },
  { kind: 'confirm', workloads: [{ unit: 'a.service', controlGroup: '/system.slice/a.service', images: ['/store/images'] }] },
  { kind: 'jump' },
])('what a dry run prints for a $kind is a shell script', (action) => {
  expect(commands(action)).toMatchSnapshot();
  execFileSync('sh', ['-nc', commands(action)]);
});

test('the check tells who is carried, who is not and why, each remedy once', () => {
  const rows = checkRows(
    survey(
      [
        workload('a.service'),
        workload('b.service', { obstacles: [{ kind: 'terminal', pid: 1, path: '/dev/tty1' }, { kind: 'device', pid: 1, path: '/dev/fuse' }] }),
      ],
      { afresh: [{ unit: 'ssh.service', description: '', why: 'is the way in; its login sessions end' }] },
    ),
  );
  expect(rows).toEqual([
    { unit: 'a.service', verdict: 'carried', why: [], remedy: [] },
    { unit: 'b.service', verdict: 'obstacle', why: ['process 1 holds the terminal /dev/tty1', 'process 1 holds the device /dev/fuse'], remedy: ['start it afresh: --afresh'] },
    { unit: 'ssh.service', verdict: 'afresh', why: ['is the way in; its login sessions end'], remedy: [] },
  ]);
});

test('where the images will be is said, and why not in memory', () => {
  const region = ram.kind === 'ram' ? ram.ram.region : undefined;
  const paths = handoverPaths('/store', '20260101-100000');
  const said = (keptIn: StoreChoice) => storeSentence({ keptIn, paths });
  expect(said({ place: ram, ...(region === undefined ? {} : { region }) })).toEqual({ where: 'The images are in memory that the new kernel leaves alone, 1G!4G.' });
  expect(said({ place: disk })).toEqual({ where: 'The images are on the disk, encrypted, below /store/upgrades/20260101-100000.' });
  expect(said({ place: disk, why: 'it is not there yet' }).where).toMatch(/Not in memory yet: it is not there yet\.$/);
  expect(said({ place: disk, why: 'it is broken', bad: true }).warning).toContain('the store in memory is not used: it is broken');
});

test('what becomes of a new kernel that cannot restore what it must is said before', () => {
  const said = (required: readonly string[], turnsBack: boolean, wayBack: 'restore' | 'afresh' = 'restore') => requiredSentence({ required, turnsBack, wayBack, from: '6.12.1' });
  expect(said([], false)).toBeUndefined();
  expect(said(['a.service'], true)).toBe('If it cannot restore a.service, which is required, Linux 6.12.1 is started again.');
  expect(said(['a.service', 'b.service'], true)).toContain('; so with b.service, as long as nobody runs yet.');
  expect(said(['a.service'], false, 'afresh')).toContain('`--way-back restore`');
  expect(said(['a.service'], false)).toContain('is not installed any more');
});

test('what becomes of the machine if the new kernel hangs is said before', () => {
  const watchdog = { identity: 'a timer', before: '0' };
  expect(hangSentence({ watchdog: { kind: 'none' } })).toMatch(/stands still: it has no watchdog in hardware\.$/);
  expect(hangSentence({ watchdog: { kind: 'stopped', ...watchdog, why: 'it is too short' } })).toMatch(/stands still: its watchdog \(a timer\) is not used, as it is too short\.$/);
  expect(hangSentence({ watchdog: { kind: 'counts', ...watchdog, drivers: ['timer'], seconds: 310, goesOn: true } })).toBe('If it hangs, the watchdog (a timer) starts the machine again after 310 s.');
  expect(hangSentence({ watchdog: { kind: 'counts', ...watchdog, drivers: ['timer'], seconds: 310, goesOn: false } })).toContain('`segue setup`');
});

test('what becomes of the workloads if the new kernel does not come up is said before', () => {
  expect(wayBackSentence({ wayBack: 'afresh', keptIn: { place: disk } })).toMatch(/started afresh .*`--way-back restore` restores them there: .* on the disk\.$/);
  expect(wayBackSentence({ wayBack: 'restore', keptIn: { place: disk } })).toMatch(/restored on the kernel that the machine boots by itself\.$/);
  expect(wayBackSentence({ wayBack: 'restore', keptIn: { place: ram } })).toMatch(/, if the memory outlives that boot\.$/);
});

test('the check says what has become of memory that was set up', () => {
  const region = { start: 2 ** 32, size: 2 ** 30 };
  expect(ramStoreSentence({ kind: 'none' })).toBeUndefined();
  expect(ramStoreSentence({ kind: 'to-come', region })).toContain('to leave 1G!4G alone; the next one will be');
  expect(ramStoreSentence({ kind: 'ready', region })).toContain('in memory, 1G!4G');
  expect(ramStoreSentence({ kind: 'bad', region, why: 'xfs is on it' })).toMatch(/^warning: .*xfs is on it$/);
});
