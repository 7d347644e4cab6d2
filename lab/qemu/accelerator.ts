import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Workshop } from '../workshop.js';
import type { Image } from '../image/image.js';
import type { QemuBinary } from './binary.js';
import type { Accelerator } from './command-line.js';
import { launchCommand } from './launch.js';

const MARKER = 'segue-lab-guest-is-alive';
const PATIENCE = 10_000;

/**
 * KVM if it really runs a guest, else TCG. /dev/kvm can be there and yet hang with a guest's first
 * instructions, so a guest is tried, once per boot of the host.
 */
export async function chooseAccelerator(workshop: Workshop, qemu: QemuBinary, image: Image): Promise<Accelerator> {
  if (!existsSync('/dev/kvm')) return 'tcg';
  const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
  const key = `${bootId} ${qemu.version} ${workshop.places.root ? 'root' : 'user'}`;
  const note = join(workshop.places.cache, 'kvm-verdict');
  const noted = existsSync(note) ? (await readFile(note, 'utf8')).trim() : '';
  if (noted.startsWith(`${key} `)) return noted.endsWith(' kvm') ? 'kvm' : 'tcg';

  const works = await tryKvm(workshop, qemu, image);
  workshop.log(works ? 'KVM works: using it' : 'KVM is there but does not run a guest: emulating (TCG), which is slower');
  await writeFile(`${note}.${process.pid}`, `${key} ${works ? 'kvm' : 'tcg'}\n`);
  await rename(`${note}.${process.pid}`, note);
  return works ? 'kvm' : 'tcg';
}

async function tryKvm(workshop: Workshop, qemu: QemuBinary, image: Image): Promise<boolean> {
  const folder = join(workshop.places.cache, `kvm-trial.${process.pid}`);
  await mkdir(folder, { recursive: true });
  try {
    const release = image.kernels[0] ?? '';
    const args = [
      '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot',
      '-machine', 'pc', '-accel', 'kvm', '-cpu', 'host', '-m', '1024M',
      '-kernel', join(image.folder, 'boot', `vmlinuz-${release}`),
      '-initrd', join(image.folder, 'boot', `initrd.img-${release}`),
      // When the shell is done the kernel panics, and panic=-1 with -no-reboot ends QEMU.
      '-append', `console=ttyS0 quiet panic=-1 rdinit=/bin/sh -- -c "echo ${MARKER}"`,
      '-serial', `file:${join(folder, 'console')}`,
    ]; // prettier-ignore
    const command = { binary: qemu, args, folders: [workshop.places.cache], tied: true, root: workshop.places.root };
    const [file = '', ...rest] = launchCommand(command);
    await execa(file, rest, { reject: false, timeout: PATIENCE, killSignal: 'SIGKILL', stdio: 'ignore' });
    return (await readFile(join(folder, 'console'), 'utf8').catch(() => '')).includes(MARKER);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
