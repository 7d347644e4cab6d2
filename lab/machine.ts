import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from './errors.js';
import { ensureHostPackages } from './host/packages.js';
import { ensureImage, type Image } from './image/image.js';
import { chooseKernel } from './image/kernels.js';
import { chooseAccelerator } from './qemu/accelerator.js';
import { ensureQemu, type QemuBinary } from './qemu/binary.js';
import { EMULATED_PROCESSOR, parseMemory, type Hardware } from './qemu/command-line.js';
import type { Workshop } from './workshop.js';

export interface MachineOptions {
  /** `6.12` (the default), `newest`, or a whole release. */
  readonly kernel?: string | undefined;
  /** Debian packages on top of the usual ones. */
  readonly packages?: readonly string[] | undefined;
  /** `4G` (the default), `6144M`, … */
  readonly memory?: string | undefined;
  /** More for the kernel's command line. */
  readonly append?: string | undefined;
}

/** All that is needed to start a guest, made or found. */
export interface Machine {
  readonly image: Image;
  readonly qemu: QemuBinary;
  /** The release of the kernel it boots. */
  readonly kernel: string;
  readonly hardware: Hardware;
}

/** Gets everything ready that the guest needs, which takes minutes the first time and moments later. */
export async function prepareMachine(workshop: Workshop, options: MachineOptions): Promise<Machine> {
  const memory = parseMemory(options.memory ?? '4G');
  if (memory === undefined) {
    throw new UsageError(`${options.memory} is no size of memory for a guest`, { hint: 'for example: 4G, 2048M; at least 512M' });
  }
  await ensureHostPackages(workshop.log, workshop.places.root);
  const [image, qemu] = await Promise.all([ensureImage(workshop, options.packages), ensureQemu(workshop)]);
  const kernel = chooseKernel(options.kernel ?? '6.12', image.kernels);
  const hardware: Hardware = {
    accelerator: await chooseAccelerator(workshop, qemu, image),
    memory,
    cpus: 2,
    network: workshop.places.root ? 'tap' : 'user',
    ...kernelFiles(image, kernel),
    append: ['root=/dev/vda ro console=ttyS0 quiet', options.append].filter(Boolean).join(' '),
  };
  return { image, qemu, kernel, hardware };
}

export function kernelFiles(image: Image, release: string): { kernel: string; initrd: string } {
  return {
    kernel: join(image.folder, 'boot', `vmlinuz-${release}`),
    initrd: join(image.folder, 'boot', `initrd.img-${release}`),
  };
}

/** The processor that a saved state depends on: with KVM it is the host's. */
export function processorOf(hardware: Hardware): string {
  if (hardware.accelerator === 'tcg') return EMULATED_PROCESSOR;
  return /^model name\s*: (.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown';
}
