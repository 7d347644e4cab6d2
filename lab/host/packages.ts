import { execa } from 'execa';
import { LabError } from '../errors.js';
import { step, type Log } from '../log.js';
import { run } from './run.js';

/** Debian packages the lab and the build of Segue's package need on the host. */
const HOST_PACKAGES = [
  'mmdebstrap', // builds the guest
  'debian-archive-keyring',
  'arch-test', // mmdebstrap asks it
  'qemu-utils', // qemu-img
  'e2fsprogs', // mkfs.ext4
  'iproute2',
  'nftables',
  'openssh-client',
  'util-linux', // flock, setpriv, unshare
  'cpio',
  'zstd',
  'xz-utils',
  'debhelper', // Segue's own package
  'dpkg-dev',
  'fakeroot',
  'lintian',
] as const;

/** Of the wanted packages, those that `dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n'` does not show as installed. */
export function missingPackages(wanted: readonly string[], dpkgOutput: string): string[] {
  const installed = new Set(
    dpkgOutput
      .split('\n')
      .filter((line) => line[1] === 'i')
      .map((line) => line.slice(3).trim()),
  );
  return wanted.filter((name) => !installed.has(name));
}

/** Installs what is missing on the host; does nothing, quickly, when all is there. */
export async function ensureHostPackages(log: Log, root: boolean): Promise<void> {
  const query = await execa('dpkg-query', ['-W', '-f', '${db:Status-Abbrev} ${Package}\\n', ...HOST_PACKAGES], {
    reject: false,
  });
  if (query.exitCode === undefined) {
    throw new LabError('dpkg-query cannot be run: the lab needs a Debian host', { hint: 'use Debian 12 or newer' });
  }
  const missing = missingPackages(HOST_PACKAGES, query.stdout);
  if (missing.length === 0) return;
  if (!root) {
    throw new LabError(`these packages are missing on the host: ${missing.join(' ')}`, {
      hint: `as root: apt-get install --no-install-recommends ${missing.join(' ')}`,
    });
  }
  await step(log, `installing on the host: ${missing.join(' ')}`, async () => {
    const env = { DEBIAN_FRONTEND: 'noninteractive' };
    // Somebody else may be installing something just now.
    const patience = ['-o', 'DPkg::Lock::Timeout=300'];
    const install = [...patience, 'install', '-y', '--no-install-recommends', ...missing];
    try {
      await run('apt-get', install, { env });
    } catch {
      // The lists may be empty or old.
      await run('apt-get', [...patience, 'update'], { env });
      await run('apt-get', install, { env });
    }
  });
}
