import { GUEST_ADDRESS, GUEST_MAC, HOST_ADDRESS, TAP } from '../net/namespace.js';

export type Accelerator = 'kvm' | 'tcg';

/** The parts of a guest that a saved state depends on. */
export interface Hardware {
  readonly accelerator: Accelerator;
  /** In MiB. */
  readonly memory: number;
  readonly cpus: number;
  readonly network: 'tap' | 'user';
  readonly kernel: string;
  readonly initrd: string;
  readonly append: string;
}

/** Where the guest's RAM lives on the host. */
export type Memory =
  /** Nowhere else. */
  | { readonly kind: 'anonymous' }
  /** In a file that is to become a saved state. */
  | { readonly kind: 'written'; readonly file: string }
  /** In the file of a saved state; what the guest changes stays its own. */
  | { readonly kind: 'copied-on-write'; readonly file: string };

/**
 * All that QEMU can emulate, but for what costs more there than it gains: that Linux copies and clears memory with `rep movsb` and
 * `rep stosb`, which are emulated byte by byte (X86_FEATURE_ERMS, FSRM, FSRS, FZRM; arch/x86/lib/copy_user_64.S, memset_64.S); a
 * fifth level of page tables, of which nothing here has use (LA57); and stac and clac around each access to memory of a
 * program, as QEMU then keeps two sets of translations for the kernel (SMAP). What is mostly the kernel's work takes two
 * thirds of the time without them.
 */
export const EMULATED_PROCESSOR = 'max,-erms,-fsrm,-fsrs,-fzrm,-la57,-smap';

/** One start of QEMU. */
export interface Start {
  readonly hardware: Hardware;
  readonly memory: Memory;
  /** A qcow2 file. */
  readonly disk: string;
  /** Flushes reach the host's files, so that a killed QEMU loses what a power cut would, and not more. */
  readonly flushes: boolean;
  /** Does not boot, but waits to be given saved devices: see resumeDevices(). */
  readonly waits: boolean;
  readonly console: string;
  readonly qmp: string;
  readonly pidFile: string;
  /** The host's port that leads to the guest's ssh, with network 'user'. */
  readonly sshPort?: number | undefined;
}

/** QEMU's arguments. The order is part of a saved state: devices get their PCI slots by it. */
export function qemuArguments(start: Start): string[] {
  const { hardware } = start;
  const option = start.flushes ? 'cache.direct=off,cache.no-flush=off' : 'cache.direct=off,cache.no-flush=on';
  return [
    '-nodefaults', '-no-user-config', '-display', 'none',
    '-machine', 'pc,memory-backend=pc.ram',
    ...(hardware.accelerator === 'kvm' ? ['-accel', 'kvm', '-cpu', 'host'] : ['-accel', 'tcg,thread=multi', '-cpu', EMULATED_PROCESSOR]),
    '-smp', String(hardware.cpus),
    '-m', `${hardware.memory}M`,
    '-object', memoryObject(start.memory, hardware.memory),
    '-kernel', hardware.kernel, '-initrd', hardware.initrd, '-append', hardware.append,
    '-blockdev', `driver=qcow2,node-name=disk,file.driver=file,file.filename=${escape(start.disk)},${option}`,
    // In a thread of its own, lest the network waits for the disk (and both for what else QEMU's main loop does).
    '-object', 'iothread,id=disk-io',
    '-device', 'virtio-blk-pci,drive=disk,write-cache=on,iothread=disk-io',
    '-netdev', network(start),
    '-device', `virtio-net-pci,netdev=net,mac=${GUEST_MAC},romfile=`,
    '-device', 'virtio-rng-pci',
    // As many servers have one; nobody starts it but Segue.
    '-device', 'i6300esb', '-action', 'watchdog=reset',
    '-chardev', `file,id=console,path=${escape(start.console)},append=on`, '-serial', 'chardev:console',
    '-qmp', `unix:${escape(start.qmp)},server=on,wait=off`,
    '-pidfile', start.pidFile,
    ...(start.waits ? ['-incoming', 'defer'] : []),
  ]; // prettier-ignore
}

function memoryObject(memory: Memory, size: number): string {
  switch (memory.kind) {
    case 'anonymous':
      return `memory-backend-ram,id=pc.ram,size=${size}M`;
    case 'written':
      return `memory-backend-file,id=pc.ram,size=${size}M,mem-path=${escape(memory.file)},share=on`;
    case 'copied-on-write':
      return `memory-backend-file,id=pc.ram,size=${size}M,mem-path=${escape(memory.file)},share=off,readonly=on,rom=off`;
  }
}

function network({ hardware, sshPort }: Start): string {
  if (hardware.network === 'tap') return `tap,id=net,ifname=${TAP},script=no,downscript=no`;
  const forward = `hostfwd=tcp:127.0.0.1:${sshPort ?? 0}-${GUEST_ADDRESS}:22`;
  return `user,id=net,net=10.77.0.0/24,host=${HOST_ADDRESS},${forward}`;
}

/** QEMU's option parser takes a doubled comma for one. */
function escape(value: string): string {
  return value.replaceAll(',', ',,');
}

/** `4G` or `4096M` in MiB. */
export function parseMemory(text: string): number | undefined {
  const match = /^(\d+)([GM])$/i.exec(text);
  if (match === null) return undefined;
  const size = Number(match[1]) * (match[2]?.toUpperCase() === 'G' ? 1024 : 1);
  return size >= 512 ? size : undefined;
}
