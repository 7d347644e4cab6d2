import { RAM_STORE } from '../model/handover.ts';
import { GRUB_FILE, KERNEL_FILE, type Bootloader } from '../survey/bootloader.ts';
import type { SetupStep } from '../survey/setup.ts';
import { configurationOf } from '../survey/ram-store.ts';
import { regionWords, spellBytes, spellRegion, type Region } from '../tools/memmap.ts';
import { lastingCommandLine } from './command-line.ts';

export interface RamSetup {
  /** Undefined to have none any more. */
  readonly region: Region | undefined;
  /** What was set up before. */
  readonly before: Region | undefined;
  readonly bootloader: Bootloader;
}

/** Makes the boot entries anew: `kernel-install add-all` is newer than systemd 252. */
const REINSTALL = 'for image in /boot/vmlinuz-*; do kernel-install add "${image#/boot/vmlinuz-}" "$image" || exit; done';

/** What `segue setup --ram-store` does, so that every kernel leaves that memory alone from its start on. */
export function planRamSetup({ region, before, bootloader: { grub, kernelInstall } }: RamSetup): SetupStep[] {
  const steps: SetupStep[] =
    region === undefined
      ? before === undefined ? [] : [{ title: 'forget the memory that was set up', action: { kind: 'remove', path: RAM_STORE } }]
      : [{ title: `set ${spellBytes(region.size)} of memory up as a store, at ${spellBytes(region.start)}`, action: { kind: 'write', path: RAM_STORE, content: configurationOf(region) } }];
  if (region === undefined && before === undefined) return [];
  if (grub) {
    steps.push(
      region === undefined
        ? { title: 'leave it out of the command line that GRUB gives', action: { kind: 'remove', path: GRUB_FILE } }
        : { title: 'have GRUB give it to every kernel', action: { kind: 'write', path: GRUB_FILE, content: `# Written by \`segue setup --ram-store\`: memory that kernels leave alone.\nGRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX ${regionWords(region).join(' ')}"\n` } },
      { title: 'write the configuration of GRUB', action: { kind: 'run', argv: ['update-grub'] } },
    );
  }
  if (kernelInstall !== undefined) {
    const line = lastingCommandLine(kernelInstall.commandLine, region, before);
    if (line !== kernelInstall.commandLine.trim()) {
      steps.push(
        { title: `${region === undefined ? 'leave it out of' : 'put it on'} the command line of every kernel`, action: { kind: 'write', path: KERNEL_FILE, content: `${line}\n` } },
        { title: 'write the entries of the boot menu', action: { kind: 'run', argv: ['sh', '-c', REINSTALL] } },
      );
    }
  }
  return steps;
}

/** When it counts. */
export function whenItCounts({ region, bootloader: { grub, kernelInstall } }: RamSetup, running: readonly Region[]): string[] {
  if (region === undefined) return ['The memory is the machine\'s again from the next jump or the next boot on.'];
  if (running.some((each) => spellRegion(each) === spellRegion(region))) return ['The running kernel has it: the next upgrade uses it.'];
  const first = 'The next kernel that `segue upgrade` starts leaves that memory alone: the upgrade after that uses it, with no reboot in between.';
  return grub || kernelInstall !== undefined ? [first] : [first, `No bootloader was found that Segue knows: after a reboot the kernel has it only if its command line says ${regionWords(region).join(' ')}`];
}
