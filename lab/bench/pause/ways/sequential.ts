import { fileURLToPath } from 'node:url';
import { readUnits } from '../../../demo/services.js';
import { LabError } from '../../../errors.js';
import type { Guest } from '../../../lab.js';
import { SERVICES } from '../services.js';
import { leaveBy } from './afresh.js';
import { DEBIAN_INITRD, loadKernel } from './newest.js';
import type { Way } from './way.js';

const RESTART_MS = 180_000;
const STORE = '/var/lib/sequential';
/** So many processes may be started until the services are imaged. */
const FORKED_MEANWHILE = 5000;

/** Critical services are stopped last. */
const PATTERNS = SERVICES.toSorted((a, b) => Number(a.critical) - Number(b.critical)).map(({ unit }) => unit);
const unitsIn = async (guest: Guest): Promise<string[]> => (await readUnits(guest, PATTERNS)).map(({ unit }) => unit);

async function install(guest: Guest, name: string, path: string): Promise<void> {
  await guest.exec(['mkdir', '-p', path.slice(0, path.lastIndexOf('/'))]);
  await guest.copyIn(fileURLToPath(new URL(`../sequential/${name}`, import.meta.url)), path);
}

export const sequential: Way = {
  what: "criu dump of each service, kexec with Debian's initrd, criu restore in ordinary units",
  async prepare(guest) {
    const units = await unitsIn(guest);
    for (const name of ['dump', 'restore']) {
      await install(guest, name, `/usr/local/sbin/sequential-${name}`);
      await guest.exec(['chmod', '755', `/usr/local/sbin/sequential-${name}`]);
    }
    await install(guest, 'files.service', '/etc/systemd/system/sequential-files.service');
    for (const unit of units) await install(guest, 'plain.conf', `/etc/systemd/system/${unit}.d/zz-plain.conf`);
    await guest.exec(['systemctl', 'daemon-reload']);
    await guest.exec(['systemctl', 'restart', ...units], { timeoutMs: RESTART_MS });
    // systemd reads these on the new kernel.
    for (const unit of units) await install(guest, 'restore.conf', `/etc/systemd/system/${unit}.d/zzz-restore.conf`);
    const { stdout: last } = await guest.exec(['cat', '/proc/sys/kernel/ns_last_pid']);
    await loadKernel(guest, DEBIAN_INITRD, ['sysctl.kernel.pid_max=4194304', `sysctl.kernel.ns_last_pid=${Number(last) + FORKED_MEANWHILE}`]);
  },
  async go(guest, prober) {
    const units = await unitsIn(guest);
    await leaveBy(`setsid sequential-dump ${units.join(' ')} >/root/sequential.log 2>&1 & sleep 1`, guest, prober);
    const { stdout: failed } = await guest.exec(`systemctl is-active ${units.join(' ')} >/dev/null || grep -h Error ${STORE}/*/restore.log`, { reject: false });
    if (failed !== '') throw new LabError(`not all was restored:\n${failed}`);
    const { stdout: size } = await guest.exec(['cat', `${STORE}/size`]);
    return { storeMiB: Number(size) };
  },
};
