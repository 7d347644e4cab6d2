import { appendFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { seal, sealWorkloads } from '../../../src/park/seal.ts';
import { fixtureFolder } from '../../fixtures/fixture.ts';
import { ID, isRoot, PrivateMachine } from './private-machine.ts';

const UNIT = 'redis-server.service';

describe.runIf(isRoot)('restore', () => {
  let machine: PrivateMachine;
  let workload: string;
  beforeEach(async () => {
    machine = new PrivateMachine();
    workload = machine.paths.workload(UNIT);
    cpSync(fixtureFolder('criu/redis-server'), `${machine.paths.tree(UNIT, 354)}/images`, { recursive: true });
    machine.write(`workloads/${UNIT}/trees.list`, '354 --mount\n');
    const done = await sealWorkloads(machine.paths.handover, [{ unit: UNIT, controlGroup: '/none', hostNetwork: false, archives: [], images: [`${machine.paths.tree(UNIT, 354)}/images`] }]);
    const sealed = done.ok ? await seal(machine.paths.handover, [UNIT]) : done;
    if (!sealed.ok) throw new Error(sealed.failure.reason);
    writeFileSync(join(machine.run, 'segue/state'), '');
  });
  afterEach(() => {
    machine[Symbol.dispose]();
  });

  function refused(why: string): void {
    const { stdout, exitCode } = machine.sh(`restore ${UNIT} 4000000`);
    expect(exitCode).toBe(1);
    expect(stdout).toContain(`<2>segue: ${UNIT} cannot be restored: ${why}\n`);
    expect(machine.journal().at(-1)).toMatchObject({ event: 'restore-failed', unit: UNIT, why });
    expect(existsSync(join(machine.run, `segue/ended/${UNIT}`))).toBe(false);
  }

  test('nothing is restored before the state of the machine is', () => {
    machine.sh('rm /run/segue/state');
    refused("the machine's state was not restored");
    expect(existsSync(`${workload}/restoring`)).toBe(false);
  });

  test('an image that was begun with is not used again', () => {
    mkdirSync(`${workload}/restoring`);
    refused('its image was used before');
  });

  test.each(['trees.list', 'trees/354/images/core-354.img', 'manifest'])('an image whose %s was changed is not used', (name) => {
    appendFileSync(`${workload}/${name}`, 'x\n');
    refused('its images do not match their checksums');
  });

  test('an image whose list of checksums ends early, between two lines, is not used', () => {
    const lines = readFileSync(`${workload}/manifest`, 'utf8').split('\n');
    writeFileSync(`${workload}/manifest`, lines.slice(0, -2).join('\n') + '\n');
    refused('its images do not match their checksums');
  });

  test('that it restores is on disk before the image is used', () => {
    appendFileSync(`${workload}/trees.list`, 'x\n');
    refused('its images do not match their checksums');
    expect(machine.journal().map(({ event }) => event)).toEqual(['restoring', 'restore-failed']);
    expect(existsSync(`${workload}/restoring`)).toBe(true);
  });

  test('the checksums of a workload cover each of its files and no other', () => {
    const names = readFileSync(`${workload}/manifest`, 'utf8').trim().split('\n').map((line) => line.split('  ')[1]);
    expect(names).toContain(`workloads/${UNIT}/trees/354/images/inventory.img`);
    expect(names).toContain(`workloads/${UNIT}/locks`);
    for (const name of names) expect(name).toMatch(/^workloads\/redis-server\.service\//);
    expect(readFileSync(`${machine.paths.handover}/manifest`, 'utf8')).not.toContain('workloads/');
  });
});

describe.runIf(isRoot)('afresh', () => {
  test('a unit that could not be restored starts from its own files, with its sockets unlocked and its images kept', () => {
    using machine = new PrivateMachine();
    machine.write(`workloads/${UNIT}/locks`, 'CRIU-0\n');
    machine.replace('systemctl', 'echo "$*" >>/run/systemctl');
    const { stdout, exitCode } = machine.sh(`nft add table inet CRIU-0 && nft add table inet CRIU-1 && afresh ${UNIT} && nft list tables`);

    expect(exitCode).toBe(0);
    expect(stdout).toContain(`<2>segue: ${UNIT} could not be restored and is started afresh`);
    expect(stdout.split('\n').filter((line) => line.startsWith('table'))).toEqual(['table inet CRIU-1']);
    expect(readFileSync(join(machine.run, 'systemctl'), 'utf8')).toBe(`daemon-reload\nreset-failed -- ${UNIT}\nstart --no-block -- ${UNIT}\n`);
    expect(existsSync(join(machine.run, `segue/afresh/${UNIT}`))).toBe(true);
    // The boot waits for it no more.
    expect(existsSync(join(machine.run, `segue/ended/${UNIT}`))).toBe(true);
    expect(machine.journal()).toMatchObject([{ event: 'afresh', unit: UNIT }]);
    expect(existsSync(machine.paths.workload(UNIT))).toBe(true);
  });

  test('of a restore that was cut off it is said what systemd knows of it', () => {
    using machine = new PrivateMachine();
    machine.replace('systemctl', '');
    machine.sh(`MONITOR_SERVICE_RESULT=oom-kill afresh ${UNIT}`);
    expect(machine.journal()).toMatchObject([{ event: 'afresh', unit: UNIT, why: 'its restore ended early, of which systemd says: oom-kill' }]);
  });

  test('what was started afresh is never restored, not even on the way back', () => {
    using machine = new PrivateMachine();
    machine.write(`workloads/${UNIT}/locks`, '');
    machine.replace('systemctl', `[ "$1" != start ] || [ -e ${machine.paths.workload(UNIT)}/restoring ] || echo 'too early' >&2`);
    expect(machine.sh(`afresh ${UNIT}`)).toMatchObject({ stderr: '', exitCode: 0 });
    writeFileSync(join(machine.run, 'segue/state'), '');
    expect(machine.sh(`restore ${UNIT} 4000000`).stdout).toContain('its image was used before');
  });
});

describe.runIf(isRoot)('a unit without which the new kernel is of no use', () => {
  const OTHER = 'other.service';
  let machine: PrivateMachine;
  beforeEach(() => {
    machine = new PrivateMachine();
    for (const unit of [UNIT, OTHER]) machine.write(`workloads/${unit}/locks`, `CRIU-${unit === UNIT ? '0' : '1'}\n`);
    machine.write('required', `${UNIT}\n`);
    machine.write('old-kernel', '/boot/vmlinuz-6.12.1\n/boot/initrd.img-6.12.1\nroot=/dev/vda ro quiet "a  b"\n');
    mkdirSync(join(machine.run, 'segue/checked'));
    mkdirSync(join(machine.run, 'segue/untouched'));
    writeFileSync(join(machine.run, `segue/checked/${UNIT}`), '');
    writeFileSync(join(machine.run, `segue/untouched/${UNIT}`), '');
    mkdirSync(`${machine.paths.workload(UNIT)}/restoring`);
    machine.replace('kexec', 'printf "%s|" "$@" >>/run/kexec');
  });
  afterEach(() => {
    machine[Symbol.dispose]();
  });

  const turn = (before = ''): string => {
    machine.sh(`nft add table inet CRIU-0; ${before} turn-back ${UNIT}`);
    return existsSync(join(machine.run, 'kexec')) ? readFileSync(join(machine.run, 'kexec'), 'utf8') : '';
  };

  test('has the one before started again, with its image as good as new', () => {
    expect(turn()).toBe('--load|--kexec-syscall-auto|/boot/vmlinuz-6.12.1|--initrd=/boot/initrd.img-6.12.1|--command-line=root=/dev/vda ro quiet "a  b"|--exec|');
    expect(machine.journal()[0]).toMatchObject({ event: 'turning-back', unit: UNIT });
  });

  test('also if not even its sandbox could be made', () => {
    expect(turn(`rmdir ${machine.paths.workload(UNIT)}/restoring; rm /run/segue/untouched/${UNIT};`)).toContain('--exec');
  });

  test('and if systemd could not even begin with it, as ExecStopPost= is not run then', () => {
    machine.replace('systemctl', ':');
    machine.sh(`rmdir ${machine.paths.workload(UNIT)}/restoring; rm /run/segue/untouched/${UNIT}; nft add table inet CRIU-0; afresh ${UNIT}`);
    expect(readFileSync(join(machine.run, 'kexec'), 'utf8')).toContain('--exec');
  });

  test.each([
    ['it is not required', 'rm {}/required;'],
    ['somebody else has begun to run', `mkdir {}/workloads/${OTHER}/restoring;`],
    ['it may have run itself', `rm /run/segue/untouched/${UNIT};`],
    ['its sockets were complete', 'nft delete table inet CRIU-0;'],
    ['its images are damaged', `rm /run/segue/checked/${UNIT};`],
    ['the boot has gone on', ': >{}/../booted;'],
    ['this is the way back already', 'echo "x /y restore z" >/run/segue/way-back;'],
  ])('nothing of that where %s', (what, before) => {
    if (what.startsWith('this is the way back')) machine.commandLine = 'root=/dev/vda ro';
    expect(turn(before.replaceAll('{}', machine.paths.handover).replace('x /y', `${ID} ${machine.store}`))).toBe('');
    expect(machine.journal().map(({ event }) => event)).toEqual([]);
  });

  test('nor where the one before cannot be loaded', () => {
    machine.replace('kexec', 'exit 1');
    turn();
    expect(machine.journal().map(({ event }) => event)).toEqual([]);
  });
});
