import { arrange, PANIC } from '../inside/accident.js';
import { REAL, replace } from '../inside/instead.js';
import { lookAfterBoot } from './after-boot.js';
import type { Context } from './context.js';
import { tryInGuest } from './in-guest.js';
import { upgradeAndReturn } from './jump.js';
import type { Fate, Trial } from './outcome.js';
import type { Server } from './server.js';

export interface BadKernel {
  readonly what: string;
  readonly arrange: (server: Server) => Promise<void>;
  readonly fate: (unit: string) => Fate;
}

/** Stands in for kexec, and changes what it loads: `$@` are its arguments, one by one. */
const loading = (change: string): string => `#!/bin/bash
set -eu
case "$*" in --load*)
	changed=()
	for argument; do
		${change}
		changed+=("$argument")
	done
	set -- "\${changed[@]}"
	;;
esac
exec ${REAL}/kexec "$@"
`;

/** No program to start, and no driver for the disk that might have one. */
const PANICS = loading('case $argument in --command-line=*) argument="$argument rdinit=/none init=/none" ;; esac');

/** The kernel's 64-bit entry is 0x200 bytes behind its setup code (Documentation/arch/x86/boot.rst): jumps to where it is. */
const HANGS = loading(`case $argument in /boot/vmlinuz*)
			cp "$argument" /run/hangs
			sectors=$(od -A n -j 497 -N 1 -t u1 /run/hangs)
			printf '\\353\\376' | dd of=/run/hangs bs=1 seek=$(((sectors + 1) * 512 + 512)) conv=notrunc status=none
			argument=/run/hangs
			;;
		esac`);

/** The kernel unpacks one archive after the other: the last file of a name stays. */
const LACKS_DRIVER = loading(`case $argument in --initrd=*)
			mkdir -p /run/lacks/segue
			cp "\${argument#--initrd=}" /run/lacks/initrd
			(cd /run/lacks && cpio --extract --quiet --to-stdout segue/modules.root <initrd | sed /virtio_blk/d >modules && mv modules segue/modules.root)
			(cd /run/lacks && echo segue/modules.root | cpio --create --format=newc --quiet >>initrd)
			argument=--initrd=/run/lacks/initrd
			;;
		esac`);

/** nginx listens on IPv6 as well. */
const LACKS_IPV6 = loading('case $argument in --command-line=*segue.upgrade=*) argument="$argument ipv6.disable=1" ;; esac');

const kexec = (script: string) => async ({ guest }: Server): Promise<void> => { await replace(guest, '/usr/sbin/kexec', script); };

/** Those that are restored first; the others wait for the panic. */
export const BEGUN = ['nginx.service', 'recorder.service'];
const IN_THE_MIDST = `cd /var/lib/segue/upgrades/*
until [ "$(grep -c '"event":"restoring"' journal.ndjson)" -ge ${BEGUN.length} ] && grep -q '"event":"restored"' journal.ndjson; do sleep 0.05; done
${PANIC}`;

export const BAD_KERNELS: readonly BadKernel[] = [
  { what: 'it panics at once', arrange: kexec(PANICS), fate: () => 'restored' },
  {
    what: 'it panics before the first restore',
    arrange: ({ guest }) => arrange(guest, 'accident', { before: ['segue-state.service'], script: PANIC }),
    fate: () => 'restored',
  },
  {
    what: 'it panics in the midst of the restores',
    arrange: ({ guest, units }) => arrange(guest, 'accident', { before: units.map(({ unit }) => unit).filter((unit) => !BEGUN.includes(unit)), script: IN_THE_MIDST }),
    fate: (unit) => (BEGUN.includes(unit) ? 'afresh' : 'restored'),
  },
  {
    what: 'it cannot restore what is required',
    arrange: async (server) => {
      await server.guest.exec(['install', '-D', '-m', '644', '/dev/stdin', '/etc/systemd/system/nginx.service.d/required.conf'], { input: '[X-Segue]\nRequired=yes\n' });
      await server.guest.exec('systemctl daemon-reload');
      await kexec(LACKS_IPV6)(server);
    },
    fate: () => 'restored',
  },
  { what: 'it lacks the driver of the disk', arrange: kexec(LACKS_DRIVER), fate: () => 'restored' },
  // The watchdog ends it.
  { what: 'it hangs before user space', arrange: kexec(HANGS), fate: () => 'restored' },
];

/** A machine that is not there by then does not come back by itself. */
const RETURN_MS = 420_000;

/** The new kernel does not get there: the machine is to come back on the old one, by itself. */
export async function upgradeToBad(kernel: BadKernel, server: Server): Promise<Pick<Trial, 'lost' | 'became'>> {
  await kernel.arrange(server);
  using clients = await server.startClients({ patienceMs: server.patience(kernel.fate) });
  await upgradeAndReturn(server.guest, RETURN_MS);
  return await lookAfterBoot(server, clients, { kernel: 'old', states: ['back'], fate: kernel.fate });
}

export async function* badKernel(context: Context): AsyncGenerator<Trial> {
  for (const kernel of BAD_KERNELS) yield* tryInGuest(context, { fault: 'bad-kernel', what: kernel.what }, {}, (server) => upgradeToBad(kernel, server));
}
