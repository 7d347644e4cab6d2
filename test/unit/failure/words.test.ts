import { expect, test } from 'vitest';
import type { Failure } from '../../../src/failure/failure.ts';
import { words } from '../../../src/failure/words.ts';

/** One of each: a new kind of failure does not compile before it is here. */
const EVERY: { readonly [Reason in Failure['reason']]: Extract<Failure, { reason: Reason }> } = {
  'not-root': { reason: 'not-root' },
  'tool-missing': { reason: 'tool-missing', tool: 'kexec', package: 'kexec-tools' },
  'criu-too-old': { reason: 'criu-too-old', version: '3.17.1', needed: '4.2.1', kernel: '7.3.4' },
  'kernel-unknown': { reason: 'kernel-unknown', asked: '5.10', installed: ['6.12.1', '7.3.4'] },
  'kernel-incomplete': { reason: 'kernel-incomplete', kernel: '7.3.4', missing: '/lib/modules/7.3.4' },
  'kernel-lacks': { reason: 'kernel-lacks', kernel: '7.3.4', options: ['CONFIG_CHECKPOINT_RESTORE', 'CONFIG_TIME_NS'] },
  'kexec-disabled': { reason: 'kexec-disabled' },
  'kexec-locked-down': { reason: 'kexec-locked-down', mode: 'integrity' },
  'store-too-small': { reason: 'store-too-small', path: '/var/lib/segue', neededBytes: 2 ** 30, freeBytes: 1.5 * 2 ** 20 },
  'store-not-on-root': { reason: 'store-not-on-root', path: '/srv/segue', mount: '/srv' },
  'store-read-only': { reason: 'store-read-only', path: '/var/lib/segue' },
  obstacles: {
    reason: 'obstacles',
    blocked: [
      { unit: 'a.service', obstacles: [{ kind: 'io_uring', pid: 4000 }, { kind: 'terminal', pid: 4000, path: '/dev/tty1' }] },
      { unit: 'b.service', obstacles: [{ kind: 'container' }] },
    ],
  },
  'stopped-along': { reason: 'stopped-along', units: ['app.service'], stopped: ['mariadb.service'] },
  'unit-unknown': { reason: 'unit-unknown', unit: 'c.service' },
  'kernel-not-named': { reason: 'kernel-not-named' },
  'nothing-to-prepare': { reason: 'nothing-to-prepare' },
  'prepared-already': { reason: 'prepared-already' },
  'prepared-no-more': { reason: 'prepared-no-more' },
  'prepared-elsewhere': { reason: 'prepared-elsewhere', store: '/srv/segue' },
  'nothing-to-cancel': { reason: 'nothing-to-cancel' },
  'upgrade-running': { reason: 'upgrade-running', pid: 812 },
  'not-settled': { reason: 'not-settled', id: '20260102-030405' },
  'upgrade-unknown': { reason: 'upgrade-unknown', id: '20260102-030405' },
  'store-exposed': { reason: 'store-exposed', path: '/srv/shared/segue', folder: '/srv/shared' },
  'ram-store-too-large': { reason: 'ram-store-too-large', askedBytes: 8 * 2 ** 30, mostBytes: 3 * 2 ** 30 },
  'ram-store-unsupported': { reason: 'ram-store-unsupported', kernel: '6.1.0', missing: ['nd_e820'] },
  'key-stays-behind': { reason: 'key-stays-behind', why: '/ is on a software RAID (md0)' },
  'nothing-kept': { reason: 'nothing-kept', id: '20260102-030405' },
  'confirmation-needed': { reason: 'confirmation-needed', command: 'segue upgrade --to 7.3.4 --yes' },
  declined: { reason: 'declined' },
  interrupted: { reason: 'interrupted', signal: 'SIGINT' },
  'guard-gone': { reason: 'guard-gone' },
  'listen-queue': { reason: 'listen-queue', ports: [80, 443], seconds: 15 },
  'not-on-disk': { reason: 'not-on-disk', what: 'all filesystems', error: 'sync was killed by SIGKILL, as it had not come to an end after 120 s' },
  'dump-failed': { reason: 'dump-failed', unit: 'a.service', errors: ['Error (criu/x.c:1): one', 'Error (criu/x.c:2): two'], log: '/var/lib/segue/dump.log' },
  'workload-changed': { reason: 'workload-changed', unit: 'a.service', what: 'its process 4000 has ended or is another one now' },
  'unit-began': { reason: 'unit-began', unit: 'backup.service' },
  'shutdown-inhibited': { reason: 'shutdown-inhibited', who: 'APT', why: 'APT is installing or removing packages', pid: 4000 },
  'step-failed': { reason: 'step-failed', step: 'seal the hand-over', error: 'ENOSPC: no space left on device' },
  'command-failed': { reason: 'command-failed', command: 'nft -f -', exitCode: 1, output: 'Error: syntax error' },
  'output-unreadable': { reason: 'output-unreadable', command: 'ip -j address show', output: '[{"ifname":' },
  'not-after-a-jump': { reason: 'not-after-a-jump' },
};

test('every failure says what happened, why and what to do', () => {
  expect(Object.fromEntries(Object.entries(EVERY).map(([reason, failure]) => [reason, words(failure)]))).toMatchSnapshot();
});

test.each(Object.values(EVERY))('$reason is said in one line, and its exit code is neither success nor one of systemd', (failure) => {
  const { what, why, hint, exitCode } = words(failure);
  expect(what).toMatch(/^[^\n]{8,}[^.]$/);
  expect(why ?? hint ?? what).not.toBe('');
  expect(exitCode).toBeGreaterThan(0);
  expect(exitCode).toBeLessThan(200);
  expect([126, 127]).not.toContain(exitCode);
});

test('an interruption has the exit code of its signal', () => {
  const code = (signal: NodeJS.Signals): number => words({ reason: 'interrupted', signal }).exitCode;
  expect([code('SIGINT'), code('SIGTERM'), code('SIGHUP')]).toEqual([130, 143, 129]);
});

test('one blocked service is not said in the plural', () => {
  const [one] = EVERY.obstacles.blocked;
  expect(words({ reason: 'obstacles', blocked: [one!] }).what).toBe('one service cannot be carried');
});

test('a machine without kernels is told so', () => {
  expect(words({ reason: 'kernel-unknown', asked: 'newest', installed: [] }).why).toBe('no kernel is installed in /boot');
});
