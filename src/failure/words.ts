import { describe as describeObstacle } from './obstacle.ts';
import type { Failure } from './failure.ts';

/** What happened, why, and what to do; and the exit code (the table is in segue(8)). */
export interface Words {
  readonly what: string;
  readonly why?: string;
  readonly hint?: string;
  readonly exitCode: number;
}

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20).toString()} MiB`;

export function words(failure: Failure): Words {
  switch (failure.reason) {
    case 'not-root':
      return { what: 'this needs root', why: 'only root can stop, image and restore the tasks of others', hint: 'run it with sudo', exitCode: 4 };
    case 'tool-missing':
      return { what: `${failure.tool} is not installed`, hint: `apt install ${failure.package}`, exitCode: 5 };
    case 'criu-too-old':
      return {
        what: `CRIU ${failure.version} is too old for Linux ${failure.kernel}`,
        why: `Linux ${failure.kernel} needs CRIU ${failure.needed} or newer`,
        hint: 'install a newer criu (Debian: from backports or sid, with its libraries pinned)',
        exitCode: 5,
      };
    case 'kernel-unknown':
      return {
        what: `no installed kernel is called ${failure.asked}`,
        why: failure.installed.length > 0 ? `installed are: ${failure.installed.join(', ')}` : 'no kernel is installed in /boot',
        hint: 'install the kernel package first, or name one of these',
        exitCode: 2,
      };
    case 'kernel-incomplete':
      return { what: `Linux ${failure.kernel} is not installed completely`, why: `${failure.missing} is missing`, hint: `reinstall its package: apt install --reinstall linux-image-${failure.kernel}`, exitCode: 6 };
    case 'kernel-lacks':
      return { what: `Linux ${failure.kernel} cannot restore workloads`, why: `it was built without ${failure.options.join(', ')}`, hint: 'choose another kernel', exitCode: 3 };
    case 'kexec-disabled':
      return { what: 'this kernel does not load another one', why: 'the sysctl kernel.kexec_load_disabled is 1, and cannot be set back before a reboot', hint: 'find what sets it (/etc/sysctl.d, a hardening tool), remove it and reboot once', exitCode: 3 };
    case 'kexec-locked-down':
      return { what: 'this kernel does not load another one', why: `it is locked down (${failure.mode}), as with Secure Boot, and the kernel image has no signature that it trusts`, hint: 'use a signed kernel of the distribution, or turn Secure Boot off', exitCode: 3 };
    case 'store-too-small':
      return { what: `not enough room for the images in ${failure.path}`, why: `about ${mebibytes(failure.neededBytes)} are needed, ${mebibytes(failure.freeBytes)} are free`, hint: 'free some room there', exitCode: 6 };
    case 'store-not-on-root':
      return { what: `the store ${failure.path} is not on the root filesystem`, why: `it is on ${failure.mount}, which the new kernel mounts too late`, hint: 'name a folder on the root filesystem: --store DIR', exitCode: 6 };
    case 'store-read-only':
      return { what: `the store ${failure.path} cannot be written`, hint: 'is the filesystem mounted read-only? See `findmnt -T` and the kernel log', exitCode: 6 };
    case 'store-exposed':
      return { what: `the store ${failure.path} is within reach of others than root`, why: `${failure.folder} is not root's own, or others may write to it: they could put another folder in its place`, hint: 'name a folder of which all parents are root\'s, and only root writes to: --store DIR', exitCode: 6 };
    case 'ram-store-too-large':
      return failure.mostBytes === 0
        ? { what: 'this machine has no memory to give for a store', why: `a store of ${mebibytes(failure.askedBytes)} must be in one piece above 4 GiB, and leave half of the memory to everything else`, hint: 'upgrades work without: the images are on the disk then', exitCode: 6 }
        : { what: `a store of ${mebibytes(failure.askedBytes)} is more than this machine can give`, why: `in one piece above 4 GiB, with half of the memory left to everything else, there are ${mebibytes(failure.mostBytes)}`, hint: `segue setup --ram-store ${Math.floor(failure.mostBytes / 2 ** 20).toString()}M`, exitCode: 6 };
    case 'ram-store-unsupported':
      return { what: `Linux ${failure.kernel} cannot keep a store in memory`, why: `it has no ${failure.missing.join(', ')}`, hint: 'upgrades work without: the images are on the disk then', exitCode: 3 };
    case 'key-stays-behind':
      return { what: 'the key of the images cannot be handed to the new kernel', why: `the installed initramfs is needed, as ${failure.why}, and it is not one of initramfs-tools, which would hand it on`, hint: 'with --way-back restore the new kernel finds it sealed on the disk', exitCode: 6 };
    case 'obstacles':
      return {
        what: failure.blocked.length === 1 ? 'one service cannot be carried' : `${failure.blocked.length.toString()} services cannot be carried`,
        why: failure.blocked.map(({ unit, obstacles }) => `${unit}: ${obstacles.map((obstacle) => describeObstacle(obstacle).why).join('; ')}`).join('\n'),
        hint: `\`segue check\` shows the remedies; or let them be stopped and started afresh: ${failure.blocked.map(({ unit }) => `--afresh ${unit}`).join(' ')}`,
        exitCode: 10,
      };
    case 'stopped-along':
      return { what: `${failure.units.join(', ')} cannot be carried`, why: `systemd stops ${failure.units.length > 1 ? 'them' : 'it'} along with ${failure.stopped.join(', ')} (Requires=, BindsTo=, PartOf=)`, hint: `start ${failure.units.length > 1 ? 'them' : 'it'} afresh as well: ${failure.units.map((unit) => `--afresh ${unit}`).join(' ')}`, exitCode: 10 };
    case 'unit-unknown':
      return { what: `${failure.unit} is not a running service of this machine`, hint: '`segue check` lists them', exitCode: 2 };
    case 'kernel-not-named':
      return { what: 'no kernel is named', why: 'no upgrade is prepared that would know it', hint: 'name one that is installed: --to newest', exitCode: 2 };
    case 'nothing-to-prepare':
      return { what: 'no snapshot can be taken', why: 'the store has no room for them, or vm.overcommit_memory is 2, or every unit forbids it (Snapshot=no)', hint: '`segue upgrade` works without; or free some room in the store', exitCode: 10 };
    case 'prepared-already':
      return { what: 'an upgrade is prepared already', hint: '`segue upgrade` goes on with it, `segue cancel` drops it', exitCode: 10 };
    case 'prepared-no-more':
      return { what: 'what was prepared is gone', why: 'it was cancelled meanwhile, or what kept it fresh was killed', hint: 'run the command again: it begins anew', exitCode: 10 };
    case 'prepared-elsewhere':
      return failure.store === undefined
        ? { what: 'an upgrade is prepared in another store', hint: 'leave --store out; or drop it first: segue cancel', exitCode: 10 }
        : { what: `an upgrade is prepared in another store, ${failure.store}`, hint: `name that one: --store ${failure.store}; or drop it first: segue cancel`, exitCode: 10 };
    case 'nothing-to-cancel':
      return { what: 'there is nothing to cancel', why: 'no upgrade is prepared, and none is under way before its jump', hint: '`segue status` says how the last one ended', exitCode: 10 };
    case 'upgrade-running':
      return { what: 'an upgrade is under way', why: `process ${failure.pid.toString()} runs it`, hint: '`segue status` says where it stands', exitCode: 10 };
    case 'not-settled':
      return { what: `the upgrade ${failure.id}, by which this kernel came to run, is not settled yet`, why: 'until then services have no unit files of their own, and the boot may still start some', hint: '`segue status --wait` waits for it; if nothing happens there, see `journalctl -u segue-settle`, then `systemctl restart segue-settle`', exitCode: 10 };
    case 'upgrade-unknown':
      return { what: `there was no upgrade ${failure.id}`, hint: '`segue history` lists them', exitCode: 2 };
    case 'nothing-kept':
      return { what: `no images of upgrade ${failure.id} are kept`, hint: '`segue history` lists all upgrades', exitCode: 2 };
    case 'confirmation-needed':
      return { what: 'nobody is there to confirm the upgrade', why: 'the standard input is no terminal', hint: `add --yes: ${failure.command}`, exitCode: 2 };
    case 'declined':
      return { what: 'not confirmed; nothing was done', exitCode: 1 };
    case 'interrupted':
      return { what: `interrupted by ${failure.signal}`, why: 'every workload goes on as before', exitCode: failure.signal === 'SIGTERM' ? 143 : failure.signal === 'SIGHUP' ? 129 : 130 };
    case 'guard-gone':
      return { what: 'the guard of the upgrade has ended', why: 'nobody would let the workloads go on if the upgrade itself were killed', hint: 'see `journalctl -u "segue-guard-*"`, then try again', exitCode: 1 };
    case 'listen-queue':
      return {
        what: `connections wait on port ${failure.ports.join(', ')} and are not accepted`,
        why: `the program had ${failure.seconds.toString()} s to take them, and a connection that was not accepted cannot be carried`,
        hint: 'is the program stuck or overloaded? Try again when it accepts connections',
        exitCode: 1,
      };
    case 'dump-failed':
      return { what: `${failure.unit} could not be imaged`, why: failure.errors.join('\n'), hint: `the whole log: ${failure.log}`, exitCode: 1 };
    case 'workload-changed':
      return { what: `${failure.unit} changed while it was being parked`, why: failure.what, hint: 'try again', exitCode: 1 };
    case 'not-on-disk':
      return { what: `what is in memory of ${failure.what} could not be written to disk`, why: failure.error, hint: 'does a disk or a server not answer? `grep -E "^(Dirty|Writeback):" /proc/meminfo` says how much waits; unmount what does not answer', exitCode: 1 };
    case 'unit-began':
      return { what: `${failure.unit} has begun to run meanwhile`, why: 'it is neither carried nor started afresh: the new kernel would cut it off', hint: 'try again: it is carried then, or has ended', exitCode: 1 };
    case 'shutdown-inhibited':
      return { what: `${failure.who} forbids a shutdown`, why: `process ${failure.pid.toString()}: ${failure.why}; the new kernel would cut it off`, hint: 'wait until it is done, or end it; `systemd-inhibit --list` shows who forbids what', exitCode: 10 };
    case 'step-failed':
      return { what: `step failed: ${failure.step}`, why: failure.error, exitCode: 1 };
    case 'command-failed':
      return { what: `a command failed with exit code ${failure.exitCode.toString()}`, why: `${failure.command}\n${failure.output}`, exitCode: 1 };
    case 'output-unreadable':
      return { what: `what ${failure.command} printed makes no sense`, why: failure.output, hint: 'is it the program of the distribution, and of a usual version?', exitCode: 1 };
    case 'not-after-a-jump':
      return { what: 'there is nothing to settle', why: 'this kernel was not started by an upgrade', exitCode: 3 };
  }
}
