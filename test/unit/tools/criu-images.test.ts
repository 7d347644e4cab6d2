import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DamagedImage, editMessage, leaveUserNamespace, mendFiles, mendImage, readMessages, runId, setsIntervalTimer, writeMessages } from '../../../src/tools/criu-images.ts';
import { fixtureFolder } from '../../fixtures/fixture.ts';

const REAL = fixtureFolder('criu/redis-server');
const names = readdirSync(REAL);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'segue-images-'));
  cpSync(REAL, folder, { recursive: true });
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Every number in a message by its path of field numbers: `[5].10.3`; bytes that are no message count as text. */
function fieldsOf(message: Uint8Array, nested: (path: string) => boolean, prefix = ''): Map<string, string> {
  const found = new Map<string, string>();
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    const path = `${prefix}${number}`;
    if (wire === WireType.LengthDelimited) {
      const bytes = reader.bytes();
      if (nested(path)) for (const [inner, value] of fieldsOf(bytes, nested, `${path}.`)) found.set(inner, value);
      else found.set(path, `${found.get(path) ?? ''}${Buffer.from(bytes).toString('hex')};`);
    } else found.set(path, `${found.get(path) ?? ''}${Buffer.from(reader.skip(wire, number)).toString('hex')};`);
  }
  return found;
}

function changes(name: string, nested: (path: string) => boolean = () => false): string[] {
  const fields = (from: string): Map<string, string> => fieldsOf(readMessages(readFileSync(join(from, name)))[0]!, nested);
  const before = fields(REAL);
  const after = fields(folder);
  expect([...after.keys()]).toEqual([...before.keys()]);
  return [...before.keys()].filter((path) => before.get(path) !== after.get(path));
}

// An inventory has one magic number, every other image has two.
test.each(names.filter((name) => name !== 'inventory.img'))('%s is the same to the last byte after it was read and written', (name) => {
  const image = readFileSync(join(REAL, name));
  const messages = readMessages(image);

  expect(messages.length).toBeGreaterThan(0);
  expect(writeMessages(image, messages).equals(image)).toBe(true);
});

test.each(names)('%s is the same to the last byte after an edit of fields that it does not have', (name) => {
  for (const message of readMessages(readFileSync(join(REAL, name)))) {
    expect(Buffer.from(editMessage(message, { 9999: { varint: 1 } })).equals(message)).toBe(true);
  }
});

test('any messages come back as they were written', () => {
  const message = fc.uint8Array({ maxLength: 300 });
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.array(message, { maxLength: 6 }), (kind, messages) => {
      // The common magic number, then the one of the kind.
      const header = Uint8Array.from([0x19, 0x43, 0x56, 0x54, ...kind]);
      const image = writeMessages(Buffer.from(header), messages);
      expect(readMessages(image).map((read) => [...read])).toEqual(messages.map((written) => [...written]));
      expect([...image.subarray(0, 8)]).toEqual([...header]);
    }),
  );
});

test('an edit changes the fields that it names and leaves every other as it is, in its order', () => {
  const inner = new BinaryWriter().tag(1, WireType.Varint).uint32(7).tag(2, WireType.Varint).uint32(8).finish();
  const message = new BinaryWriter()
    .tag(3, WireType.Varint).uint32(300)
    .tag(200, WireType.LengthDelimited).bytes(inner)
    .tag(4, WireType.Bit64).fixed64('81985529216486895')
    .tag(3, WireType.LengthDelimited).bytes(new Uint8Array([0xff, 0x01, 0x05]))
    .finish();
  const expected = new BinaryWriter()
    .tag(3, WireType.Varint).uint32(0)
    .tag(200, WireType.LengthDelimited).bytes(new BinaryWriter().tag(1, WireType.Varint).uint32(7).tag(2, WireType.Varint).uint32(1).finish())
    .tag(4, WireType.Bit64).fixed64('81985529216486895')
    .tag(3, WireType.LengthDelimited).bytes(new Uint8Array([0, 0]))
    .finish();

  expect([...editMessage(message, { 3: { zeros: true }, 200: { message: { 2: { varint: 1 } } } })]).toEqual([...expected]);
});

test('the id of the run is a UUID', async () => {
  expect(await runId(REAL)).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
});

test('leaving the user namespace changes the id of that namespace and no other', async () => {
  await leaveUserNamespace(folder);

  const USER_NAMESPACE = '10';
  expect(changes('ids-354.img')).toEqual([USER_NAMESPACE]);
  const inventory = fieldsOf(readMessages(readFileSync(join(REAL, 'inventory.img')))[0]!, (path) => path === '3');
  const ids = fieldsOf(readMessages(readFileSync(join(folder, 'ids-354.img')))[0]!, () => false);
  expect(ids.get(USER_NAMESPACE)).toBe(inventory.get(`3.${USER_NAMESPACE}`));
});

/** thread_core and the creds in it. */
const nestedInThread = (path: string): boolean => path === '5' || path === '5.10';

test('leaving the user namespace takes every capability from every thread, and nothing else', async () => {
  // criu/images: core.proto, creds.proto
  const CAPABILITIES = ['5.10.9', '5.10.10', '5.10.11', '5.10.12'];
  const cores = names.filter((name) => name.startsWith('core-'));
  expect(cores).toHaveLength(6);
  // Redis has none to lose: give it some first.
  for (const name of cores) {
    const image = readFileSync(join(folder, name));
    const all = Object.fromEntries([9, 10, 11, 12].map((field) => [field, { varint: 0xffffffff }]));
    const messages = readMessages(image).map((message) => editMessage(message, { 5: { message: { 10: { message: all } } } }));
    writeFileSync(join(folder, name), writeMessages(image, messages));
  }
  for (const path of CAPABILITIES) expect(changes('core-354.img', nestedInThread)).toContain(path);

  await leaveUserNamespace(folder);
  for (const name of cores) {
    const fields = fieldsOf(readMessages(readFileSync(join(folder, name)))[0]!, nestedInThread);
    for (const path of CAPABILITIES) expect(fields.get(path)).toMatch(/^(00;)+$/);
    for (const path of changes(name, nestedInThread)) expect(CAPABILITIES).toContain(path);
  }
});

test('leaving the user namespace touches no other image', async () => {
  await leaveUserNamespace(folder);
  expect(changes('inventory.img')).toEqual([]);
});

test('to leave it twice is to leave it once', async () => {
  await leaveUserNamespace(folder);
  const once = names.map((name) => readFileSync(join(folder, name)));
  await leaveUserNamespace(folder);
  expect(names.map((name) => readFileSync(join(folder, name)))).toEqual(once);
});

test('images without an inventory are refused', async () => {
  writeFileSync(join(folder, 'inventory.img'), Buffer.alloc(4));
  await expect(leaveUserNamespace(folder)).rejects.toThrow('is empty');
});

test.each([
  ['ends within its magic number', 3, 'it ends within its magic number'],
  ['ends within the length of a message', 11, 'it ends within a message'],
  ['ends within a message', -1, 'it ends within a message'],
])('an image that %s is not rewritten as if it were whole', async (_, length, why) => {
  const path = join(folder, 'core-354.img');
  const cut = readFileSync(path).subarray(0, length);
  writeFileSync(path, cut);
  await expect(leaveUserNamespace(folder)).rejects.toThrow(new DamagedImage(`${path} is damaged: ${why}`));
  expect(readFileSync(path).equals(cut)).toBe(true);
});

test('a process that has set no interval timer is told from one that has', async () => {
  expect(await setsIntervalTimer(folder)).toBe(false);
  const path = join(folder, 'core-354.img');
  const image = readFileSync(path);
  const [first = Buffer.alloc(0), ...rest] = readMessages(image);
  // core_entry.tc = 3, task_core_entry.timers = 7, task_timers_entry.real = 1, itimer_entry.vsec = 3
  const armed = editMessage(first, { 3: { message: { 7: { message: { 1: { message: { 3: { varint: 90 } } } } } } } });
  writeFileSync(path, writeMessages(image, [armed, ...rest]));
  expect(await setsIntervalTimer(folder)).toBe(true);
});

test('who was stopped for the image runs when it is restored; who was stopped before, or has ended, does not', async () => {
  const path = join(folder, 'core-354.img');
  const stateOf = (image: Buffer): string | undefined => fieldsOf(readMessages(image)[0]!, (at) => at === '3').get('3.1')?.replace(/;$/, '');
  // compel/include/uapi/task-state.h
  for (const [state, pids, after] of [[3, [354, 99_999], '01'], [3, [], '03'], [2, [354], '02']] as const) {
    const image = readFileSync(join(REAL, 'core-354.img'));
    const [first = Buffer.alloc(0), ...rest] = readMessages(image);
    writeFileSync(path, writeMessages(image, [editMessage(first, { 3: { message: { 1: { varint: state } } } }), ...rest]));
    await mendImage(folder, { privateUsers: false, renamedSockets: [] }, pids);
    expect(stateOf(readFileSync(path))).toBe(after);
  }
});

test('who was stopped for the image hears nothing of the stop of a child, but of all else', async () => {
  const path = join(folder, 'core-354.img');
  const image = readFileSync(join(REAL, 'core-354.img'));
  const queued = (signal: number, code: number) => {
    const siginfo = Buffer.alloc(128);
    siginfo.writeInt32LE(signal, 0);
    siginfo.writeInt32LE(code, 8);
    return new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(siginfo).finish();
  };
  // sigaction(2): SIGCHLD with CLD_STOPPED and CLD_EXITED, SIGUSR1 with a code of its own
  const signals = [queued(17, 5), queued(17, 1), queued(10, 5)];
  const queue = (entries: readonly Uint8Array[]) => entries.reduce((writer, entry) => writer.tag(1, WireType.LengthDelimited).bytes(entry), new BinaryWriter()).finish();
  const taskCore = new BinaryWriter().tag(1, WireType.Varint).uint32(3).tag(10, WireType.LengthDelimited).bytes(queue(signals)).finish();
  writeFileSync(path, writeMessages(image, [new BinaryWriter().tag(3, WireType.LengthDelimited).bytes(taskCore).finish()]));
  await mendImage(folder, { privateUsers: false, renamedSockets: [] }, [354]);
  expect(fieldsOf(readMessages(readFileSync(path))[0]!, (at) => at === '3').get('3.10')).toBe(fieldsOf(new BinaryWriter().tag(10, WireType.LengthDelimited).bytes(queue(signals.slice(1))).finish(), () => false).get('10'));
});

test('a log may have another size by the time of the restore, a program and a library may not', async () => {
  // images/fdinfo.proto and regfile.proto: type, id, then a regular file with id, flags, position, name, size, mode, and perhaps a build id.
  const regular = (mode: number, buildId: number | undefined) => {
    const file = new BinaryWriter().tag(1, WireType.Varint).uint32(7).tag(3, WireType.Varint).uint32(500).tag(6, WireType.LengthDelimited).string('/var/log/x').tag(8, WireType.Varint).uint32(1000).tag(10, WireType.Varint).uint32(mode);
    if (buildId !== undefined) file.tag(11, WireType.Varint).uint32(buildId);
    return new BinaryWriter().tag(1, WireType.Varint).uint32(1).tag(2, WireType.Varint).uint32(7).tag(3, WireType.LengthDelimited).bytes(file.finish()).finish();
  };
  const socket = new BinaryWriter().tag(1, WireType.Varint).uint32(4).tag(2, WireType.Varint).uint32(8).finish();
  const messages = [regular(0o100644, undefined), regular(0o100755, undefined), regular(0o100644, 5), socket];
  const path = join(folder, 'files.img');
  writeFileSync(path, writeMessages(readFileSync(join(REAL, 'ids-354.img')), messages));
  await mendFiles(folder, []);
  const after = readMessages(readFileSync(path));
  expect([...fieldsOf(after[0]!, (at) => at === '3').keys()]).toEqual(['1', '2', '3.1', '3.3', '3.6', '3.10']);
  expect(after.slice(1).map((message) => message.toString('hex'))).toEqual(messages.slice(1).map((message) => Buffer.from(message).toString('hex')));
  rmSync(path);
  await mendFiles(folder, []);
});

test('a socket that was renamed after it was bound is bound to the name that it had last, a name that only begins so is left', async () => {
  // images/sk-unix.proto: id, name with its NUL, deleted
  const socket = (name: string) => {
    const inner = new BinaryWriter().tag(1, WireType.Varint).uint32(8).tag(11, WireType.LengthDelimited).bytes(Buffer.from(`${name}\0`)).tag(15, WireType.Varint).uint32(1).finish();
    return new BinaryWriter().tag(1, WireType.Varint).uint32(5).tag(2, WireType.Varint).uint32(8).tag(16, WireType.LengthDelimited).bytes(inner).finish();
  };
  const path = join(folder, 'files.img');
  const other = socket('/run/a.sock.6991');
  writeFileSync(path, writeMessages(readFileSync(join(REAL, 'ids-354.img')), [socket('/run/a.sock.699'), other]));
  await mendFiles(folder, [{ bound: '/run/a.sock.699', named: '/run/a.sock' }]);
  const [first, second] = readMessages(readFileSync(path));
  expect(Object.fromEntries(fieldsOf(first!, (at) => at === '16'))).toMatchObject({ '16.1': expect.anything() as string, '16.11': `${Buffer.from('/run/a.sock\0').toString('hex')};` });
  expect([...fieldsOf(first!, (at) => at === '16').keys()]).toEqual(['1', '2', '16.1', '16.11']);
  expect(second?.toString('hex')).toBe(Buffer.from(other).toString('hex'));
});
