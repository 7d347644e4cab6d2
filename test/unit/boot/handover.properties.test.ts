import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HANDOVER_FORMAT } from '../../../src/model/handover.ts';
import { seal } from '../../../src/park/seal.ts';
import { jumpOf } from '../../../src/store/arrival.ts';
import { parseJournal } from '../../../src/store/journal.ts';
import { damagedBytes } from '../damaged.ts';
import { isRoot, PrivateMachine } from './private-machine.ts';

// Each run costs some processes.
const RUNS = { numRuns: 15 };

describe.runIf(isRoot)('handover.sh', () => {
  let machine: PrivateMachine;
  beforeEach(() => {
    machine = new PrivateMachine();
  });
  afterEach(() => {
    machine[Symbol.dispose]();
  });

  test('any text in the journal is one event, and is read as it was meant but for control characters', () => {
    const text = fc.oneof(
      fc.constantFrom('"', '\\', '\\"', "it's", '$HOME', '`id`', '%s', '-n', '-e', '\\n', '\\u0041', '', ' a ', '\n', 'a\n\n', '\u007f\u0085\u2028', '{"at":"2026-01-01T00:00:00Z","kernel":"k","event":"settled"}'),
      fc.string({ unit: 'binary', maxLength: 20 }),
      fc.string({ unit: fc.constantFrom('\n', '\t', '\r', '\u001b', '\u0001', '"', '\\', 'ä', '\u{1f600}', ' ') }),
    ).map((value) => value.replaceAll('\0', ''));
    const log = `${machine.paths.upgrade}/journal.ndjson`;
    fc.assert(
      fc.property(fc.array(text, { minLength: 6, maxLength: 12 }), (values) => {
        rmSync(log, { force: true });
        expect(machine.sh('. "$1/handover.sh" && shift && for value; do journal state-skipped what "$value"; done', machine.lib, ...values)).toEqual({ stdout: '', stderr: '', exitCode: 0 });
        const written = readFileSync(log, 'utf8');
        expect(written.split('\n')).toHaveLength(values.length + 1);
        const meant = values.map((value) => value.replace(/[\n\t]/g, ' ').replace(/[\u0001-\u001f]/g, ''));
        expect(parseJournal(written).map(({ event, what }) => [event, what])).toEqual(meant.map((value) => ['state-skipped', value]));
      }),
      { numRuns: 6 },
    );
  });

  test('bytes that are no text tear neither the journal nor what is around them', () => {
    expect(machine.sh(String.raw`. "$1/handover.sh" && journal a && LC_ALL=C journal b what "$(printf 'x\377\303"y')" && journal b what "$(printf '\303')" && journal c`, machine.lib).exitCode).toBe(0);
    expect(machine.journal().map(({ event, what }) => [event, what])).toEqual([['a', undefined], ['b', 'x\ufffd\ufffd"y'], ['b', '\ufffd'], ['c', undefined]]);
  });

  test('the scripts and segue find the same hand-over on any command line', () => {
    const word = fc.oneof(fc.constantFrom('segue.upgrade=1', 'segue.upgrade=20260101-100000', 'segue.upgrade=', 'segue.upgrade=../..', 'segue.upgrade=a/b', 'xsegue.upgrade=2', 'segue.upgrade', 'segue.store=/srv', 'segue.store=/a-b_c.d', 'segue.store=', 'ro', '--', '*', '"', '\\', '$(id)', '?'), fc.string({ maxLength: 8 }).filter((text) => !/[\0\n]/.test(text)));
    fc.assert(
      fc.property(fc.array(fc.array(word, { maxLength: 6 }), { minLength: 1, maxLength: 6 }), (lines) => {
        const commandLines = lines.map((words) => words.join(' '));
        const print = 'printf "%s\\n%s\\n" "$SEGUE_ID" "$SEGUE_STORE"';
        // One machine after the other.
        const each = 'line=$1; shift; for text; do printf "%s\\n" "$text" >"$line"; (cd / && . "$lib/handover.sh" && eval "$print"); done';
        const { stdout, stderr } = machine.sh(`lib=$1 print=$2; shift 2; ${each}`, machine.lib, print, '/proc/cmdline', ...commandLines);
        expect(stderr).toBe('');
        const found = stdout.split('\n').slice(0, -1);
        expect(commandLines.map((_, index) => (found[2 * index] === '' ? undefined : { id: found[2 * index], store: found[2 * index + 1] }))).toEqual(commandLines.map(jumpOf));
      }),
      RUNS,
    );
  });
});

describe.runIf(isRoot)('lock', () => {
  let machine: PrivateMachine;
  const files = ['format', 'machine', 'manifest', 'manifests', 'lock.nft', 'way-back', 'state/sysctl', 'state/links', 'state/firewall-modules', 'state/firewall.nft', 'units/a.service'];
  const contents = new Map<string, Buffer>();

  beforeEach(async () => {
    machine = new PrivateMachine();
    machine.replace('modprobe', ':');
    machine.write('format', `${HANDOVER_FORMAT}\n`);
    machine.write('machine', readFileSync('/etc/machine-id', 'utf8'));
    machine.write('way-back', '4194304 5000\n');
    machine.write('units/a.service', '[Service]\nExecStart=/bin/true\n');
    machine.write('state/sysctl', 'kernel/panic=0\n');
    for (const name of ['links', 'firewall-modules', 'firewall.nft']) machine.write(`state/${name}`, '');
    const sealed = await seal(machine.paths.handover, []);
    expect(sealed.ok).toBe(true);
    for (const file of files) contents.set(file, readFileSync(join(machine.paths.handover, file)));
  });
  afterEach(() => {
    machine[Symbol.dispose]();
  });

  /** The hand-over as it was sealed, in a boot that has seen nothing yet. */
  function renew(): void {
    for (const folder of [machine.paths.handover, join(machine.run, 'segue')]) rmSync(folder, { recursive: true });
    for (const file of ['arrived', 'journal.ndjson']) rmSync(`${machine.paths.upgrade}/${file}`, { force: true });
    mkdirSync(join(machine.run, 'segue'));
    for (const [file, bytes] of contents) {
      mkdirSync(dirname(join(machine.paths.handover, file)), { recursive: true });
      writeFileSync(join(machine.paths.handover, file), bytes);
    }
  }

  function refused(): void {
    const { exitCode, stdout } = machine.sh('lock');
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/^<2>segue: .*; every service is started afresh$/m);
    const events = machine.journal();
    expect(events.map(({ event }) => event)).toEqual(['handover-refused']);
    expect(events[0]?.why).toMatch(/^the hand-over (has no format line|is of format '.*', this segue reads 'segue-handover 2'|does not match its checksums)$/);
    for (const mark of [`${machine.paths.upgrade}/arrived`, join(machine.run, 'segue/locked')]) expect(existsSync(mark)).toBe(false);
  }

  test('a hand-over as it was sealed is taken', () => {
    renew();
    expect(machine.sh('lock').exitCode).toBe(0);
  });

  test('a hand-over of which any file was changed, cut or lost is refused', () => {
    const change = fc.constantFrom(...files).chain((file) => fc.tuple(fc.constant(file), fc.option(fc.oneof(
      damagedBytes(Buffer.from('x')).map((bytes) => (content: Buffer) => Buffer.concat([content, bytes])),
      fc.nat().map((at) => (content: Buffer) => content.subarray(0, at % (content.length + 1))),
      fc.tuple(fc.nat(), fc.nat(7)).map(([at, bit]) => (content: Buffer) => (content.length === 0 ? content : Buffer.from(content.with(at % content.length, content[at % content.length]! ^ (1 << bit))))),
    ))));
    fc.assert(
      fc.property(change, ([file, changed]) => {
        const content = contents.get(file)!;
        const now = changed?.(content);
        fc.pre(now === undefined || !now.equals(content));
        renew();
        if (now === undefined) rmSync(join(machine.paths.handover, file));
        else writeFileSync(join(machine.paths.handover, file), now);
        refused();
      }),
      RUNS,
    );
  });

  test.each([0, 1, 2, 8])('a hand-over of whose checksums only the first %d are there is refused', (count) => {
    renew();
    writeFileSync(join(machine.paths.handover, 'manifest'), contents.get('manifest')!.toString().split(/(?<=\n)/).slice(0, count).join(''));
    refused();
  });

  test.each([
    ['another digit', (list: string) => list.replace(/[a-f]/, (digit) => digit.toUpperCase())],
    ['another space', (list: string) => list.replace('  ', ' !')],
  ])('a list of checksums in which a bit was changed is refused, also where xxhsum reads %s for the same', (_, changed) => {
    renew();
    writeFileSync(join(machine.paths.handover, 'manifest'), changed(contents.get('manifest')!.toString()));
    refused();
  });

  test('a hand-over in which there is a file more is refused', () => {
    renew();
    appendFileSync(join(machine.paths.handover, 'units/b.service'), '');
    refused();
  });
});
