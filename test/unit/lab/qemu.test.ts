import { expect, test } from 'vitest';
import { parseQemuVersion } from '../../../lab/qemu/binary.js';
import { parseMemory, qemuArguments, type Start } from '../../../lab/qemu/command-line.js';
import { launchCommand } from '../../../lab/qemu/launch.js';

const START: Start = {
  hardware: {
    accelerator: 'tcg',
    memory: 4096,
    cpus: 2,
    network: 'tap',
    kernel: '/boot/vmlinuz',
    initrd: '/boot/initrd',
    append: 'root=/dev/vda ro',
  },
  memory: { kind: 'anonymous' },
  disk: '/guests/a/disk.qcow2',
  flushes: false,
  waits: false,
  console: '/run/a/console',
  qmp: '/run/a/qmp',
  pidFile: '/run/a/qemu.pid',
};

const valueOf = (args: readonly string[], option: string): string | undefined => args[args.indexOf(option) + 1];

test('without KVM the guest is emulated with several threads', () => {
  const args = qemuArguments(START);
  expect(valueOf(args, '-accel')).toBe('tcg,thread=multi');
  expect(valueOf(args, '-cpu')).toBe('max,-erms,-fsrm,-fsrs,-fzrm,-la57,-smap');
  expect(args).not.toContain('-incoming');
});

test('a guest that goes on from a saved state maps its RAM and waits for its devices', () => {
  const args = qemuArguments({ ...START, memory: { kind: 'copied-on-write', file: '/s/ram' }, waits: true });
  expect(valueOf(args, '-object')).toBe(
    'memory-backend-file,id=pc.ram,size=4096M,mem-path=/s/ram,share=off,readonly=on,rom=off',
  );
  expect(valueOf(args, '-incoming')).toBe('defer');
});

test('a state can be resumed because all starts have the same devices in the same order', () => {
  const devices = (start: Start): string[] =>
    qemuArguments(start).filter((_, i, all) => all[i - 1] === '-device' || all[i - 1] === '-machine');
  const resumed = { ...START, memory: { kind: 'copied-on-write', file: '/s/ram' }, waits: true, flushes: true } as const;
  expect(devices(resumed)).toEqual(devices(START));
});

test('flushes reach the disk only where a power cut is to be tried', () => {
  expect(valueOf(qemuArguments(START), '-blockdev')).toContain('cache.no-flush=on');
  expect(valueOf(qemuArguments({ ...START, flushes: true }), '-blockdev')).toContain('cache.no-flush=off');
});

test('commas in paths are doubled for QEMU', () => {
  expect(valueOf(qemuArguments({ ...START, disk: '/a,b/d.qcow2' }), '-blockdev')).toContain('filename=/a,,b/d.qcow2');
});

test("without root QEMU's own network forwards a port to ssh", () => {
  const args = qemuArguments({ ...START, hardware: { ...START.hardware, network: 'user' }, sshPort: 2222 });
  expect(valueOf(args, '-netdev')).toContain('hostfwd=tcp:127.0.0.1:2222-10.77.0.2:22');
});

test("the host's QEMU is run directly, a brought one in its root folder with mounts of its own", () => {
  const common = { args: ['-m', '1G'], folders: ['/cache'], namespace: 'segue-lab-a', tied: true, root: true };
  expect(launchCommand({ ...common, binary: { version: '10.0.0', chroot: undefined } })).toEqual(
    'setpriv --pdeathsig KILL ip netns exec segue-lab-a qemu-system-x86_64 -m 1G'.split(' '),
  );
  const brought = launchCommand({ ...common, tied: false, binary: { version: '10.0.0', chroot: '/q' } });
  expect(brought.slice(0, 9).join(' ')).toBe('ip netns exec segue-lab-a unshare --mount --propagation private sh');
  expect(brought.slice(-6)).toEqual(['sh', '/q', '/cache', '--', '-m', '1G']);
});

test('the version of QEMU is read from what it says', () => {
  expect(parseQemuVersion('QEMU emulator version 10.0.3 (Debian 1:10.0.3+ds-1)')).toBe('10.0.3');
  expect(parseQemuVersion('')).toBeUndefined();
});

test('memory is given in G or M, and never less than a guest can boot with', () => {
  expect(parseMemory('4G')).toBe(4096);
  expect(parseMemory('2048m')).toBe(2048);
  expect(parseMemory('100M')).toBeUndefined();
  expect(parseMemory('lots')).toBeUndefined();
});
