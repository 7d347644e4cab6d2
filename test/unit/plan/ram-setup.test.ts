import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { planRamSetup, whenItCounts } from '../../../src/plan/ram-setup.ts';
import { spellRegion } from '../../../src/tools/memmap.ts';

const GIB = 2 ** 30;
const region = { start: 4 * GIB, size: GIB };
const larger = { start: 4 * GIB, size: 2 * GIB };
const NONE = { grub: false };
const actions = (...args: Parameters<typeof planRamSetup>) => planRamSetup(...args).map(({ action }) => action);

test('it is written down for the upgrades, and given to every kernel by GRUB', () => {
  const [kept, given, made] = actions({ region, before: undefined, bootloader: { grub: true } });
  expect(kept).toMatchObject({ kind: 'write', path: '/etc/segue/ram-store', content: expect.stringMatching(/^1G!4G$/m) as string });
  expect(given).toMatchObject({ kind: 'write', path: '/etc/default/grub.d/segue.cfg' });
  expect(made).toEqual({ kind: 'run', argv: ['update-grub'] });
  // As grub-mkconfig reads it, in a shell.
  const said = given?.kind === 'write' ? execFileSync('sh', ['-eu'], { input: `GRUB_CMDLINE_LINUX="a b"\n${given.content}\necho "$GRUB_CMDLINE_LINUX"`, encoding: 'utf8' }) : '';
  expect(said).toBe('a b memmap=1G!4G segue.ram=1G!4G\n');
});

test('kernel-install is given a command line for every boot, once', () => {
  const bootloader = { grub: false, kernelInstall: { commandLine: 'BOOT_IMAGE=/x root=/dev/vda ro segue.upgrade=1 systemd.unit=segue-restore.target quiet\n' } };
  const [, given, made] = actions({ region, before: undefined, bootloader });
  expect(given).toEqual({ kind: 'write', path: '/etc/kernel/cmdline', content: 'root=/dev/vda ro quiet memmap=1G!4G segue.ram=1G!4G\n' });
  expect(made?.kind === 'run' ? made.argv.join(' ') : '').toContain('kernel-install add');
  const again = { grub: false, kernelInstall: { commandLine: 'root=/dev/vda ro quiet memmap=1G!4G segue.ram=1G!4G\n' } };
  expect(actions({ region, before: region, bootloader: again }).map(({ kind }) => kind)).toEqual(['write']);
});

test('another size takes the place of the one before', () => {
  const bootloader = { grub: false, kernelInstall: { commandLine: 'ro memmap=1G!4G segue.ram=1G!4G\n' } };
  expect(actions({ region: larger, before: region, bootloader })[1]).toMatchObject({ content: 'ro memmap=2G!4G segue.ram=2G!4G\n' });
});

test('taken away, it is gone everywhere', () => {
  const bootloader = { grub: true, kernelInstall: { commandLine: 'ro memmap=1G!4G segue.ram=1G!4G\n' } };
  expect(actions({ region: undefined, before: region, bootloader })).toMatchObject([
    { kind: 'remove', path: '/etc/segue/ram-store' }, { kind: 'remove', path: '/etc/default/grub.d/segue.cfg' }, { kind: 'run', argv: ['update-grub'] },
    { kind: 'write', path: '/etc/kernel/cmdline', content: 'ro\n' }, { kind: 'run' },
  ]);
  expect(planRamSetup({ region: undefined, before: undefined, bootloader: { grub: true } })).toEqual([]);
});

test('without a bootloader that is known, a reboot is told to need the words', () => {
  const said = (bootloader: { grub: boolean }, running: Parameters<typeof whenItCounts>[1] = []) => whenItCounts({ region, before: undefined, bootloader }, running).join('\n');
  expect(said(NONE)).toContain('its command line says memmap=1G!4G segue.ram=1G!4G');
  expect(said({ grub: true })).not.toContain('memmap');
  expect(said(NONE, [region])).toBe('The running kernel has it: the next upgrade uses it.');
  expect(spellRegion(region)).toBe('1G!4G');
});
