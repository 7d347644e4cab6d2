import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { seal } from '../../../src/park/seal.ts';
import { HANDOVER_FORMAT } from '../../../src/model/handover.ts';
import { handoverLockScript } from '../../../src/tools/nft.ts';
import { listening } from '../survey/builders.ts';
import { ID, isRoot, PrivateMachine } from './private-machine.ts';

describe.runIf(isRoot)('lock', () => {
  let machine: PrivateMachine;
  beforeEach(() => {
    machine = new PrivateMachine();
    machine.write('format', `${HANDOVER_FORMAT}\n`);
    machine.write('machine', readFileSync('/etc/machine-id', 'utf8'));
    machine.write('units/a.service.d/zz-segue.conf', '[Service]\n');
    for (const name of ['sysctl', 'links', 'firewall-modules', 'firewall.nft']) machine.write(`state/${name}`, '');
    machine.replace('modprobe', ':'); // this machine's kernel is not the test's
  });
  afterEach(() => {
    machine[Symbol.dispose]();
  });

  async function sealed(): Promise<void> {
    const result = await seal(machine.paths.handover, []);
    if (!result.ok) throw new Error(result.failure.reason);
  }

  /** As above, with a lock in it: no process of this machine has sockets that could be handed over. */
  async function sealedWithLock(script: string): Promise<void> {
    await sealed();
    machine.write('lock.nft', script);
    const { exitCode } = machine.sh('cd "$1" && xxhsum -H2 format machine manifests units/*/* state/* lock.nft >manifest', machine.paths.handover);
    expect(exitCode).toBe(0);
  }

  const lock = (then = ':'): ReturnType<PrivateMachine['sh']> => machine.sh(`lock && ${then}`);
  const events = (): [string, string | undefined][] => machine.journal().map(({ event, why }) => [event, why]);

  function refused(why: string): void {
    const { stdout, exitCode } = lock();
    expect(exitCode).toBe(1);
    expect(stdout).toContain(`<2>segue: ${why}; every service is started afresh\n`);
    expect(events().at(-1)).toEqual(['handover-refused', why]);
    expect(existsSync(join(machine.run, 'segue/locked'))).toBe(false);
  }

  test('a hand-over that was sealed here is taken, once it is on record', async () => {
    await sealed();
    expect(lock()).toMatchObject({ stderr: '', exitCode: 0 });
    expect(events()).toEqual([['arrived', undefined], ['locked', undefined]]);
    expect(existsSync(join(machine.run, 'segue/locked'))).toBe(true);
    expect(existsSync(`${machine.paths.upgrade}/arrived`)).toBe(true);
  });

  test('the ports are locked before anything else goes on', async () => {
    await sealedWithLock(handoverLockScript('CRIU-0', [listening(80)]));
    const { stdout, exitCode } = lock('nft list tables');
    expect(exitCode).toBe(0);
    expect(stdout).toBe('table inet CRIU-0\n');
  });

  test('a hand-over is used once', async () => {
    await sealed();
    expect(lock().exitCode).toBe(0);
    rmSync(join(machine.run, 'segue/locked')); // a new boot has an empty /run
    for (const boot of ['3f1a7e5c-0000-4000-8000-000000000000\n', '']) {
      writeFileSync(`${machine.paths.upgrade}/arrived`, boot);
      refused('this hand-over was used before');
    }
  });

  test('whoever was cut off in the initramfs is followed by a service of the same boot', async () => {
    await sealed();
    expect(lock().exitCode).toBe(0);
    rmSync(join(machine.run, 'segue/locked'));
    expect(lock().exitCode).toBe(0);
    expect(events()).toEqual([['arrived', undefined], ['locked', undefined], ['locked', undefined]]);
  });

  test('a command line that is used once more, when all is settled, is of no upgrade', async () => {
    await sealed();
    writeFileSync(machine.paths.settled, '');
    expect(machine.sh('. handover.sh; echo "$SEGUE_ID"').stdout).toBe('\n');
  });

  describe('on the way back', () => {
    beforeEach(() => {
      machine.commandLine = 'root=/dev/vda ro';
      writeFileSync(join(machine.run, 'segue/way-back'), `${ID} ${machine.store} restore why\n`);
    });

    test('a hand-over that had arrived in the new kernel is taken once more', async () => {
      await sealed();
      writeFileSync(`${machine.paths.upgrade}/arrived`, '');
      expect(lock()).toMatchObject({ stderr: '', exitCode: 0 });
      expect(events()).toEqual([['came-back', 'why'], ['locked', undefined]]);
    });

    test('it is taken once, also when nobody knows how far that got', async () => {
      await sealed();
      mkdirSync(`${machine.paths.upgrade}/came-back`);
      refused('the way back was tried before');
    });

    test('that it is tried counts before anything else is read', () => {
      refused('the hand-over does not match its checksums');
      expect(events()[0]).toEqual(['came-back', 'why']);
      refused('the way back was tried before');
    });
  });

  test('a hand-over of another format is refused, before anything in it is believed', async () => {
    machine.write('format', 'segue-handover 3\n');
    await sealed();
    refused("the hand-over is of format 'segue-handover 3', this segue reads 'segue-handover 2'");
  });

  test('a hand-over whose container stays closed is refused', () => {
    machine.refuseStore('its key is gone with the memory of the machine');
    refused('the hand-over cannot be opened: its key is gone with the memory of the machine');
  });

  test('a hand-over without a format is refused', async () => {
    await sealed();
    writeFileSync(`${machine.paths.handover}/format`, '');
    refused('the hand-over has no format line');
  });

  test('a hand-over that was never sealed is refused', () => {
    refused('the hand-over does not match its checksums');
  });

  test.each(['lock.nft', 'machine', 'state/sysctl', 'units/a.service.d/zz-segue.conf', 'manifest'])('a hand-over whose %s was changed is refused', async (name) => {
    await sealed();
    appendFileSync(`${machine.paths.handover}/${name}`, 'x\n');
    refused('the hand-over does not match its checksums');
    expect(existsSync(`${machine.paths.upgrade}/arrived`)).toBe(false);
  });

  test('a hand-over in which a file is missing is refused', async () => {
    await sealed();
    rmSync(`${machine.paths.handover}/state/sysctl`);
    refused('the hand-over does not match its checksums');
  });

  test('a hand-over of another machine is refused', async () => {
    machine.write('machine', `${'0'.repeat(32)}\n`);
    await sealed();
    refused('the hand-over is of another machine');
  });

  test('without the lock nothing is restored', async () => {
    await sealedWithLock('this is no ruleset\n');
    refused('the ports cannot be locked');
    expect(machine.sh('state').exitCode).toBe(1);
  });

  test('what is locked has its lock in the journal of that upgrade', async () => {
    await sealed();
    lock();
    expect(existsSync(join(machine.store, 'upgrades', ID, 'journal.ndjson'))).toBe(true);
  });
});
