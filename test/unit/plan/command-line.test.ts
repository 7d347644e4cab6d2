import fc from 'fast-check';
import { expect, test } from 'vitest';
import { firstFreePid, lastingCommandLine, newCommandLine } from '../../../src/plan/command-line.ts';
import { endless } from '../damaged.ts';

const OPTIONS = { id: '20260102-030405', store: '/var/lib/segue', pidMax: 4_194_304, lastPid: 5100 };
const ADDED = 'panic=10 segue.panic sysctl.kernel.pid_max=4194304 sysctl.kernel.ns_last_pid=5100 segue.upgrade=20260102-030405 segue.store=/var/lib/segue systemd.unit=segue-restore.target';

test('the new kernel gets the words of the old one and those that the restore needs', () => {
  expect(newCommandLine('root=/dev/vda ro console=ttyS0 quiet\n', OPTIONS)).toBe(`root=/dev/vda ro console=ttyS0 quiet ${ADDED}`);
});

test('words of the bootloader are left out', () => {
  expect(newCommandLine('BOOT_IMAGE=/boot/vmlinuz-6.12 initrd=\\initrd.img root=UUID=1 ro kexec_jump_back_entry=0x1', OPTIONS)).toBe(`root=UUID=1 ro ${ADDED}`);
});

test('a quoted value stays one word, with its blanks', () => {
  const line = 'root=/dev/vda dyndbg="file drivers/usb/* +p; module x +p" "odd word=1 2" ro';
  expect(newCommandLine(line, OPTIONS)).toBe(`${line} ${ADDED}`);
});

test('an upgrade after an upgrade does not make the line grow', () => {
  const word = fc.constantFrom('ro', 'quiet', 'root=/dev/vda', 'a="b c"', 'BOOT_IMAGE=/x', 'sysctl.vm.swappiness=1', 'segue.upgrade=old', 'x=segue.store=1');
  fc.assert(
    fc.property(fc.array(word), (words) => {
      const once = newCommandLine(words.join(' '), OPTIONS);
      expect(newCommandLine(once, OPTIONS)).toBe(once);
      expect(newCommandLine(once, { ...OPTIONS, id: 'next', lastPid: 9 }).split(' ')).toHaveLength(once.split(' ').length);
    }),
  );
});

test('what the administrator wants after a panic stays', () => {
  expect(newCommandLine('ro panic=-1', OPTIONS)).toBe(`ro panic=-1 ${ADDED.replace('panic=10 segue.panic ', '')}`);
});

test('sysctls of the administrator stay, those of the process ids are replaced', () => {
  expect(newCommandLine('sysctl.vm.swappiness=1 sysctl.kernel.pid_max=9', OPTIONS)).toBe(`sysctl.vm.swappiness=1 ${ADDED}`);
});

test('with room above, the new processes are numbered after the highest that is carried', () => {
  expect(firstFreePid([500, 4000, 3999], 4_194_304, 300)).toBe(9000);
  expect(firstFreePid([], 32_768, 300)).toBe(5300);
});

test('with little room above, the widest gap is taken', () => {
  expect(firstFreePid([400, 500, 25_000, 32_000], 32_768, 300)).toBe(5500);
});

test('the ids that follow are free, and above those that the kernel takes itself', () => {
  const RESERVED = 300;
  const pidMax = fc.constantFrom(32_768, 4_194_304);
  const machine = pidMax.chain((max) => fc.tuple(fc.constant(max), fc.uniqueArray(fc.integer({ min: RESERVED, max: max - 1 }), { maxLength: 400 })));
  fc.assert(
    fc.property(machine, ([max, carried]) => {
      const last = firstFreePid(carried, max, RESERVED);
      const next = Math.min(...carried.filter((pid) => pid > last), max);

      expect(last).toBeGreaterThanOrEqual(RESERVED);
      expect(carried).not.toContain(last + 1);
      // As many as a boot needs, or three quarters of the widest gap that there is.
      const points = [RESERVED, ...carried, max].toSorted((a, b) => a - b);
      const widest = Math.max(...points.slice(1).map((point, index) => point - points[index]!));
      expect(next - last).toBeGreaterThanOrEqual(Math.min(19_900, widest * 0.75));
    }),
  );
});

test('a quotation that nobody ends does not take in what is added', () => {
  expect(newCommandLine('ro dyndbg="file a b', OPTIONS)).toBe(`ro dyndbg="file a b" ${ADDED}`);
});

test('what is for init is not for the kernel', () => {
  expect(newCommandLine('ro -- panic=5 --', OPTIONS)).toBe(`ro ${ADDED} -- panic=5 --`);
});

const anyWord = fc
  .array(fc.oneof(fc.stringMatching(/^[^\s"]{1,8}$/), fc.string({ unit: 'grapheme', maxLength: 8 }).map((text) => `"${text.replaceAll('"', '')}"`)), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join(''))
  .filter((word) => word !== '--' && !/^(BOOT_IMAGE=|initrd=|kexec_jump_back_entry=|segue\.|systemd\.unit=|sysctl\.kernel\.|panic=)/.test(word));
const ours = fc.constantFrom('BOOT_IMAGE=/boot/vmlinuz', 'initrd=\\initrd.img', 'segue.upgrade=old', 'segue.store=/old', 'sysctl.kernel.pid_max=9', 'sysctl.kernel.ns_last_pid=7', 'systemd.unit=segue-restore.target');

test('whatever else is on the line stays, word by word, in its order, and ours come before what is for init', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(anyWord, ours)), fc.option(fc.array(fc.oneof(anyWord, ours))), fc.constantFrom(' ', '  ', '\t'), (words, forInit, blank) => {
      const all = [...words, ...(forInit === null ? [] : ['--', ...forInit])];
      const kept = (some: readonly string[]): string[] => some.filter((word) => !/^(BOOT_IMAGE=|initrd=|segue\.|sysctl\.kernel\.|systemd\.unit=)/.test(word));
      const made = newCommandLine(`${all.join(blank)}\n`, OPTIONS);
      expect(made).toBe([...kept(words), ADDED, ...(forInit === null ? [] : ['--', ...kept(forInit)])].join(' '));
      expect(newCommandLine(made, OPTIONS)).toBe(made);
    }),
  );
});

test('any line becomes one on which the words of the upgrade are words, and that grows no more', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.array(fc.constantFrom('"', ' ', '--', 'a', '=', 'panic=', '\n', 'segue.upgrade=1')).map((parts) => parts.join(''))), (line) => {
      const made = newCommandLine(line, OPTIONS);
      // As the kernel sees them, for which a quotation is a part of a word.
      const words = made.match(/(?:[^\s"]|"[^"]*")+/g) ?? [];
      for (const word of ADDED.split(' ').slice(2)) expect(words.filter((each) => each === word)).toHaveLength(1);
      expect(newCommandLine(made, OPTIONS)).toBe(made);
    }),
  );
});

test('a line without end is read in time', () => {
  for (const text of endless('"', 'a', ' ', '" ', 'a="b c" ')) newCommandLine(text, OPTIONS);
});

test('where new processes are numbered is never below those of the kernel, nor above the highest id, whatever is carried', () => {
  const RESERVED = 300;
  fc.assert(
    fc.property(fc.constantFrom(1000, 32_768, 4_194_304), fc.array(fc.oneof(fc.nat(500), fc.nat(4_194_304)), { maxLength: 60 }), (max, carried) => {
      const last = firstFreePid(carried, max, RESERVED);
      expect(last).toBeGreaterThanOrEqual(RESERVED);
      expect(last).toBeLessThan(max);
      // What is not among the ids that the kernel gives changes nothing.
      expect(firstFreePid(carried.filter((pid) => pid > RESERVED && pid < max), max, RESERVED)).toBe(last);
    }),
  );
});

test('ids above a pid_max that was lowered meanwhile do not count', () => {
  expect(firstFreePid([90_000], 32_768, 300)).toBe(5300);
});

const region = { start: 4 * 2 ** 30, size: 2 ** 30 };
const TOLD = `panic=10 segue.panic memmap=1G!4G segue.ram=1G!4G ${ADDED.replace('panic=10 segue.panic ', '')}`;

test('memory that is set aside is told to the new kernel, exactly once', () => {
  const once = newCommandLine('root=/dev/vda ro', { ...OPTIONS, region });
  expect(once).toBe(`root=/dev/vda ro ${TOLD}`);
  expect(newCommandLine(once, { ...OPTIONS, region })).toBe(`root=/dev/vda ro ${TOLD}`);
  // An administrator may have written it without the mark.
  expect(newCommandLine('memmap=1G!4G ro', { ...OPTIONS, region })).toBe(`ro ${TOLD}`);
});

test('another size takes the place of the one before, and none leaves nothing; what others set aside stays', () => {
  const before = 'ro memmap=2G!8G memmap=512M!4G segue.ram=512M!4G';
  expect(newCommandLine(before, { ...OPTIONS, region })).toBe(`ro memmap=2G!8G ${TOLD}`);
  expect(newCommandLine(before, OPTIONS)).toBe(`ro memmap=2G!8G ${ADDED}`);
});

test('the command line of every boot has it without what is for one jump', () => {
  const jumped = newCommandLine('BOOT_IMAGE=/x root=/dev/vda ro panic=5 -- memmap=1G!4G', { ...OPTIONS, region });
  expect(lastingCommandLine(jumped, region, region)).toBe('root=/dev/vda ro panic=5 memmap=1G!4G segue.ram=1G!4G -- memmap=1G!4G');
  expect(lastingCommandLine(jumped, undefined, region)).toBe('root=/dev/vda ro panic=5 -- memmap=1G!4G');
  // Segue's own word for a panic is for the jump.
  expect(lastingCommandLine(newCommandLine('ro', OPTIONS), undefined, undefined)).toBe('ro');
  expect(lastingCommandLine('ro panic=10', undefined, undefined)).toBe('ro panic=10');
});
