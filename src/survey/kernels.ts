import { promises as fs } from 'node:fs';
import { failed, ok, type Result } from '../failure/result.ts';
import { compareVersions } from '../tools/version.ts';

/** A kernel that is installed in /boot, as Debian's packages lay it out. */
export interface Kernel {
  /** What `uname -r` will say. */
  readonly release: string;
  readonly image: string;
  readonly initrd: string;
}

/** Without these no workload can be restored (criu.org/Linux_kernel, and what the locks need). */
const NEEDED_OPTIONS = ['CHECKPOINT_RESTORE', 'NAMESPACES', 'TIME_NS', 'UNIX_DIAG', 'INET_DIAG', 'NF_TABLES', 'KEXEC_CORE', 'BLK_DEV_LOOP', 'DM_CRYPT', 'CRYPTO_XTS', 'EXT4_FS'];

export async function installedKernels(boot = '/boot'): Promise<string[]> {
  const names = await fs.readdir(boot).catch(() => []);
  return names.flatMap((name) => /^vmlinuz-(\d.*)$/.exec(name)?.[1] ?? []).sort(compareVersions);
}

/** The options of NEEDED_OPTIONS that a kernel's configuration does not set. */
export function missingOptions(config: string): string[] {
  return NEEDED_OPTIONS.filter((option) => !new RegExp(`^CONFIG_${option}=[ym]$`, 'm').test(config)).map((option) => `CONFIG_${option}`);
}

/**
 * The kernel that `--to` names: `newest`, a full release, or the beginning of one (`6.12`), of which the newest counts.
 * It must be there with initrd and modules, and be able to restore.
 */
export async function chooseKernel(asked: string, root = ''): Promise<Result<Kernel>> {
  const installed = await installedKernels(`${root}/boot`);
  const matching = installed.filter((release) => asked === 'newest' || release === asked || release.startsWith(`${asked}.`) || release.startsWith(`${asked}-`) || release.startsWith(`${asked}+`));
  const release = matching.at(-1);
  if (release === undefined) return failed({ reason: 'kernel-unknown', asked, installed });

  const kernel = { release, image: `${root}/boot/vmlinuz-${release}`, initrd: `${root}/boot/initrd.img-${release}` };
  for (const path of [kernel.initrd, `${root}/lib/modules/${release}`]) {
    if (!(await fs.access(path).then(() => true, () => false))) return failed({ reason: 'kernel-incomplete', kernel: release, missing: path });
  }
  const config = await fs.readFile(`${root}/boot/config-${release}`, 'utf8').catch(() => undefined);
  const options = config === undefined ? [] : missingOptions(config);
  return options.length > 0 ? failed({ reason: 'kernel-lacks', kernel: release, options }) : ok(kernel);
}
