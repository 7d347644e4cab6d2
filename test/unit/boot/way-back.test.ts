import { appendFileSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ID, isRoot, PrivateMachine, type Ended } from './private-machine.ts';

const EARLIER_BOOT = '00000000-0000-4000-8000-000000000000';

describe.runIf(isRoot)('a boot that is no jump', () => {
  let machine: PrivateMachine;
  beforeEach(() => {
    machine = new PrivateMachine();
    machine.commandLine = 'root=/dev/vda ro quiet';
    machine.write('way-back', '4194304 9000\n');
    writeFileSync(`${machine.paths.upgrade}/key`, '');
    machine.write('units/a.service', '[Service]\n');
    for (const unit of ['a.service', 'b.service']) machine.write(`workloads/${unit}/manifest`, '');
    writeFileSync(join(machine.etc, 'way-back'), `${ID} ${machine.store} ${EARLIER_BOOT}\n`);
    log('begun', 'step', 'jumping');
    // What the kernel of the test's own machine is not told.
    for (const [name, value] of [['pid_max', '32768'], ['ns_last_pid', '150'], ['panic', '0']] as const) writeFileSync(join(machine.etc, name), `${value}\n`);
  });
  afterEach(() => {
    machine[Symbol.dispose]();
  });

  const log = (...events: string[]): void => {
    for (const event of events) appendFileSync(`${machine.paths.upgrade}/journal.ndjson`, `{"at":"2026-01-01T00:00:00.000Z","kernel":"6.12.1","event":"${event}"}\n`);
  };
  const mounts = 'for name in pid_max ns_last_pid panic; do mount --bind "$1/$name" "/proc/sys/kernel/$name"; done';
  const boot = (): Ended => machine.sh(`${mounts}; exec segue-generator "$2" "$3" /nowhere/late`, machine.etc, machine.normal, machine.early);
  const kernel = (name: string): string => readFileSync(join(machine.etc, name), 'utf8').trim();
  const SILENCE = { stdout: '', stderr: '', exitCode: 0 };
  const note = (): string => readFileSync(join(machine.run, 'segue/way-back'), 'utf8');

  function ordinary(): void {
    expect(boot()).toEqual(SILENCE);
    expect(existsSync(join(machine.run, 'segue/way-back'))).toBe(false);
    expect([...readdirSync(machine.early), ...readdirSync(machine.normal)]).toEqual([]);
    expect(kernel('ns_last_pid')).toBe('150');
  }

  /** A boot like any other, but that it ends the upgrade. */
  function afresh(way: string, why: string): void {
    expect(boot()).toEqual(SILENCE);
    expect(note()).toBe(`${ID} ${machine.store} ${way} ${why}\n`);
    expect(readdirSync(machine.early)).toEqual([]);
    expect(readlinkSync(join(machine.normal, 'multi-user.target.wants/segue-settle.service'))).toBe('/usr/lib/systemd/system/segue-settle.service');
    expect(readFileSync(join(machine.normal, 'segue-settle.service.d/way-back.conf'), 'utf8')).toContain('After=multi-user.target');
    expect(kernel('ns_last_pid')).toBe('150');
  }

  test('restores what did not come up in the new kernel, before anything else is started', () => {
    expect(boot()).toEqual(SILENCE);
    expect(readdirSync(machine.early).sort()).toEqual(['a.service', 'default.target', 'segue-state.service.requires']);
    expect(readlinkSync(join(machine.early, 'default.target'))).toBe('/usr/lib/systemd/system/segue-restore.target');
    expect(readdirSync(machine.normal)).toEqual([]);
  });

  test('says so where the new kernel has turned back', () => {
    appendFileSync(`${machine.paths.upgrade}/journal.ndjson`, '{"at":"2026-01-01T00:00:00.000Z","kernel":"7.3.4","event":"turning-back","unit":"a.service"}\n');
    boot();
    expect(note()).toBe(`${ID} ${machine.store} restore a.service is required, and the new kernel could not restore it\n`);
  });

  test('leaves the old process ids free, and does not stand still after a panic', () => {
    boot();
    expect([kernel('pid_max'), kernel('ns_last_pid'), kernel('panic')]).toEqual(['4194304', '9000', '10']);
  });

  test('keeps what the administrator wants after a panic', () => {
    writeFileSync(join(machine.etc, 'panic'), '-1\n');
    boot();
    expect(kernel('panic')).toBe('-1');
  });

  test('tells all that follows which upgrade it is, and nobody else', () => {
    boot();
    const said = machine.sh('. "$1/handover.sh" && echo "$SEGUE_ID $SEGUE_STORE $SEGUE_WAY_BACK $SEGUE_HANDOVER"', machine.lib);
    expect(said.stdout).toBe(`${ID} ${machine.store} restore ${machine.paths.handover}\n`);
    expect(statSync(join(machine.run, 'segue/way-back')).mode & 0o777).toBe(0o600);
  });

  test('is decided once: a reload finds the same, and gives the boot its own target once that is its turn', () => {
    boot();
    mkdirSync(`${machine.paths.upgrade}/came-back`);
    writeFileSync(join(machine.etc, 'ns_last_pid'), '9500\n');
    expect(boot()).toEqual(SILENCE);
    expect(note()).toContain(' restore ');
    expect(kernel('ns_last_pid')).toBe('9500');
    expect(lstatSync(join(machine.early, 'default.target')).isSymbolicLink()).toBe(true);

    // systemd empties the folders before each run.
    for (const name of readdirSync(machine.early)) rmSync(join(machine.early, name), { recursive: true });
    writeFileSync(join(machine.run, 'segue/booting'), '');
    expect(boot()).toEqual(SILENCE);
    expect(readdirSync(machine.early).sort()).toEqual(['a.service', 'segue-state.service.requires']);
  });

  test('is like any other when no upgrade was about to jump', () => {
    rmSync(join(machine.etc, 'way-back'));
    ordinary();
  });

  test('is like any other when the kernel that was about to jump still runs', () => {
    writeFileSync(join(machine.etc, 'way-back'), `${ID} ${machine.store} ${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')}`);
    ordinary();
  });

  test.each(['settled', 'giving-up', 'given-up', 'given-up-in-part'])('is like any other after an upgrade that was %s', (event) => {
    log(event);
    ordinary();
  });

  test.each([
    ['an id that leads out of the store', '../../etc /var/lib/segue'],
    ['a store that is nowhere', `${ID} store`],
    ['an upgrade that nobody knows', '20200101-000000 /var/lib/segue'],
    ['nothing', ''],
  ])('is like any other when it is pointed to %s', (_, pointer) => {
    writeFileSync(join(machine.etc, 'way-back'), `${pointer} ${EARLIER_BOOT}\n`);
    ordinary();
  });

  test('restores from memory that has outlived the kernel, where no key is needed', () => {
    rmSync(`${machine.paths.upgrade}/key`);
    writeFileSync(machine.paths.ramNote, '0x100000000 1073741824 restore\n');
    expect(boot()).toEqual(SILENCE);
    expect(note()).toBe(`${ID} ${machine.store} restore the new kernel did not get there\n`);
  });

  test('starts everything afresh when that memory is gone', () => {
    writeFileSync(machine.paths.ramNote, '0x100000000 1073741824 restore\n');
    machine.refuseStore('it is gone with the memory of the machine');
    afresh('lost', 'the hand-over cannot be opened: it is gone with the memory of the machine');
  });

  test('starts everything afresh when that is the policy, also if the memory has outlived the kernel', () => {
    writeFileSync(machine.paths.ramNote, '0x100000000 1073741824 afresh\n');
    afresh('afresh', 'this upgrade was told to start everything afresh then');
  });

  test('starts everything afresh when that is the policy', () => {
    rmSync(`${machine.paths.upgrade}/key`);
    afresh('afresh', 'this upgrade was told to start everything afresh then');
  });

  test('starts everything afresh when the way back was tried before', () => {
    mkdirSync(`${machine.paths.upgrade}/came-back`);
    afresh('lost', 'the way back was tried before');
  });

  test('starts everything afresh when more than the workloads ran in the new kernel', () => {
    writeFileSync(`${machine.paths.upgrade}/booted`, '');
    afresh('lost', 'the new kernel had gone on with its boot');
  });

  test('starts everything afresh when every image was begun with', () => {
    mkdirSync(`${machine.paths.workload('a.service')}/restoring`);
    expect(boot()).toEqual(SILENCE);
    expect(note()).toContain(' restore ');
    rmSync(join(machine.run, 'segue/way-back'));
    for (const name of readdirSync(machine.early)) rmSync(join(machine.early, name), { recursive: true });
    writeFileSync(join(machine.etc, 'ns_last_pid'), '150\n');

    mkdirSync(`${machine.paths.workload('b.service')}/restoring`);
    afresh('lost', 'every image was used before');
  });

  test.each(['', 'hurry 1\n', '1 2 3\n'])('starts everything afresh when the hand-over does not say what to do', (text) => {
    machine.write('way-back', text);
    afresh('lost', 'the hand-over is damaged');
  });

  test('starts everything afresh when its container stays closed', () => {
    machine.refuseStore('its key cannot be unsealed on this machine');
    rmSync(machine.paths.handover, { recursive: true });
    afresh('lost', 'the hand-over cannot be opened: its key cannot be unsealed on this machine');
  });

  test.each(['systemd.unit=rescue.target', 'single', 'emergency', '1'])('goes where the administrator sends it: %s', (word) => {
    machine.commandLine = `root=/dev/vda ro ${word} quiet`;
    afresh('lost', "the kernel's command line names another target");
  });

  test('has nothing more to say once all is settled', () => {
    boot();
    for (const name of readdirSync(machine.early)) rmSync(join(machine.early, name), { recursive: true });
    writeFileSync(join(machine.run, 'segue/settled'), '');
    expect(boot()).toEqual(SILENCE);
    expect([...readdirSync(machine.early), ...readdirSync(machine.normal)]).toEqual([]);
  });
});
