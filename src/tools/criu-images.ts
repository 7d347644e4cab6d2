import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { promises as fs } from 'node:fs';

/**
 * CRIU images are a magic number (or two) and then messages of Protocol Buffers, each after its length
 * (criu.org/Images). What is edited here is edited field by field: fields that are not named stay as they are,
 * byte for byte, so that the images of a newer CRIU keep what this code has never heard of.
 */
const COMMON_MAGIC = 0x54564319;
const SERVICE_MAGIC = 0x55105940;
/** An image that is cut off, or none: it was written a moment ago, so it is the disk or CRIU that is at fault. */
export class DamagedImage extends Error {}

/** Images begin with a common magic number and one of their kind; the inventory has its own only (criu/image.c). */
export function headerBytes(image: Buffer): number {
  const bytes = image.length >= 4 && [COMMON_MAGIC, SERVICE_MAGIC].includes(image.readUInt32LE(0)) ? 8 : 4;
  if (image.length < bytes) throw new DamagedImage('it ends within its magic number');
  return bytes;
}

/** Where a message that begins here, with its length, ends. Throws a DamagedImage. */
export function messageEnd(image: Buffer, at: number): number {
  const end = at + 4 <= image.length ? at + 4 + image.readUInt32LE(at) : Infinity;
  if (end > image.length) throw new DamagedImage('it ends within a message');
  return end;
}

/** Throws a DamagedImage. */
export function readMessages(image: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = headerBytes(image); at < image.length; ) {
    const end = messageEnd(image, at);
    messages.push(image.subarray(at + 4, end));
    at = end;
  }
  return messages;
}

export function writeMessages(header: Buffer, messages: readonly Uint8Array[]): Buffer {
  const parts = messages.flatMap((message) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(message.length);
    return [length, message];
  });
  return Buffer.concat([header.subarray(0, headerBytes(header)), ...parts]);
}

type Edit = { readonly varint: number } | { readonly bytes: Uint8Array } | { readonly message: Edits } | { readonly zeros: true } | { readonly absent: true } | { readonly without: (bytes: Uint8Array) => boolean };
type Edits = Readonly<Record<number, Edit>>;

/** What the reader of Protocol Buffers throws of bytes that are no message. */
function orDamaged<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new DamagedImage(`a message in it makes no sense (${error instanceof Error ? error.message : String(error)})`);
  }
}

/** Copies a message; the fields named in `edits` are changed where they are present. Throws a DamagedImage. */
export const editMessage = (message: Uint8Array, edits: Edits): Uint8Array => orDamaged(() => edit(message, edits));

function edit(message: Uint8Array, edits: Edits): Uint8Array {
  const reader = new BinaryReader(message);
  const writer = new BinaryWriter();
  while (reader.pos < reader.len) {
    const [field, wire] = reader.tag();
    const wanted = edits[field];
    if (wanted !== undefined && 'varint' in wanted && wire === WireType.Varint) {
      reader.skip(wire, field);
      writer.tag(field, wire).uint32(wanted.varint);
    } else if (wanted !== undefined && 'message' in wanted && wire === WireType.LengthDelimited) {
      writer.tag(field, wire).bytes(edit(reader.bytes(), wanted.message));
    } else if (wanted !== undefined && 'bytes' in wanted && wire === WireType.LengthDelimited) {
      reader.skip(wire, field);
      writer.tag(field, wire).bytes(wanted.bytes);
    } else if (wanted !== undefined && 'absent' in wanted) {
      reader.skip(wire, field);
    } else if (wanted !== undefined && 'without' in wanted && wire === WireType.LengthDelimited) {
      const bytes = reader.bytes();
      if (!wanted.without(bytes)) writer.tag(field, wire).bytes(bytes);
    } else if (wanted !== undefined && 'zeros' in wanted && wire === WireType.Varint) {
      reader.skip(wire, field);
      writer.tag(field, wire).uint32(0);
    } else if (wanted !== undefined && 'zeros' in wanted && wire === WireType.LengthDelimited) {
      // A packed list of integers: as many zeros.
      const count = [...reader.bytes()].filter((byte) => byte < 0x80).length;
      writer.tag(field, wire).bytes(new Uint8Array(count));
    } else {
      writer.tag(field, wire).raw(reader.skip(wire, field));
    }
  }
  return writer.finish();
}

function field(message: Uint8Array, wanted: number): { varint?: number; bytes?: Uint8Array } {
  const reader = new BinaryReader(message);
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    if (number !== wanted) reader.skip(wire, number);
    else if (wire === WireType.Varint) return { varint: reader.uint32() };
    else if (wire === WireType.LengthDelimited) return { bytes: reader.bytes() };
    else return {};
  }
  return {};
}

// Field numbers: CRIU's images/inventory.proto, core.proto, timer.proto, creds.proto and siginfo.proto.
const INVENTORY = { rootIds: 3, runId: 13 } as const;
const IDS = { userNs: 10 } as const;
const CORE = { taskCore: 3, threadCore: 5 } as const;
const TASK_CORE = { state: 1, timers: 7, signals: 10 } as const;
const TIMERS = { real: 1, virtual: 2, profiling: 3 } as const;
const INTERVAL_TIMER = { leftSeconds: 3, leftMicroseconds: 4 } as const;
const THREAD = { creds: 10 } as const;
const CREDS = { inheritable: 9, permitted: 10, effective: 11, bounding: 12, ambient: 19 } as const;

/** The messages of a file; a DamagedImage that names it. */
async function readImage(path: string): Promise<{ image: Buffer; first: Buffer; rest: Buffer[] }> {
  const image = await fs.readFile(path);
  return naming(path, () => {
    const [first, ...rest] = readMessages(image);
    if (first === undefined) throw new DamagedImage('it is empty');
    return { image, first, rest };
  });
}

function naming<T>(path: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof DamagedImage ? new DamagedImage(`${path} is damaged: ${error.message}`) : error;
  }
}

async function inventoryField(folder: string, number: number): Promise<Uint8Array | undefined> {
  const path = `${folder}/inventory.img`;
  const { first } = await readImage(path);
  return naming(path, () => orDamaged(() => field(first, number).bytes));
}

/** The id of the CRIU run that made the images; its network lock is named after it. */
export async function runId(folder: string): Promise<string | undefined> {
  const bytes = await inventoryField(folder, INVENTORY.runId);
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
}

// Field numbers: CRIU's images/stats.proto.
const STATS = { dump: 1 } as const;
const DUMP_STATS = { frozenMicroseconds: 2, pagesSkippedParent: 6, pagesWritten: 7, sharedPagesSkippedParent: 13, sharedPagesWritten: 14 } as const;
const PAGE_BYTES = 4096;

export interface DumpStatistics {
  /** Bytes of memory in these images, and in those that they build on. */
  readonly writtenBytes: number;
  readonly earlierBytes: number;
  /** How long the tasks were held, milliseconds; of an image that leaves them stopped, until it was complete. */
  readonly heldMs: number;
}

/** What CRIU counted while it made these images. Throws a DamagedImage. */
export async function dumpStatistics(folder: string): Promise<DumpStatistics> {
  const path = `${folder}/stats-dump`;
  const { first } = await readImage(path);
  return naming(path, () => orDamaged(() => {
    const { bytes } = field(first, STATS.dump);
    if (bytes === undefined) throw new Error('there are no statistics');
    const count = (number: number): number => field(bytes, number).varint ?? 0;
    return {
      writtenBytes: (count(DUMP_STATS.pagesWritten) + count(DUMP_STATS.sharedPagesWritten)) * PAGE_BYTES,
      earlierBytes: (count(DUMP_STATS.pagesSkippedParent) + count(DUMP_STATS.sharedPagesSkippedParent)) * PAGE_BYTES,
      heldMs: Math.round(count(DUMP_STATS.frozenMicroseconds) / 1000),
    };
  }));
}

async function rewrite(path: string, edits: Edits): Promise<void> {
  const { image, first, rest } = await readImage(path);
  await fs.writeFile(path, writeMessages(image, [naming(path, () => editMessage(first, edits)), ...rest]));
}

/**
 * Takes the user namespace of PrivateUsers=yes out of an image: CRIU does not restore into one whose processes live in
 * the machine's PID namespace. Ids map to themselves there, so they stay as they are; capabilities counted inside that
 * namespace only, so outside of it the tasks get none.
 */
export async function leaveUserNamespace(folder: string): Promise<void> {
  const bytes = await inventoryField(folder, INVENTORY.rootIds);
  const outer = bytes === undefined ? undefined : naming(`${folder}/inventory.img`, () => orDamaged(() => field(bytes, IDS.userNs).varint));
  if (outer === undefined) throw new DamagedImage(`${folder}/inventory.img is damaged: it does not name CRIU's own user namespace`);
  const noCapabilities = { message: { [THREAD.creds]: { message: Object.fromEntries(Object.values(CREDS).map((number) => [number, { zeros: true as const }])) } } };
  for (const name of await fs.readdir(folder)) {
    if (/^ids-\d+\.img$/.test(name)) await rewrite(`${folder}/${name}`, { [IDS.userNs]: { varint: outer } });
    if (/^core-\d+\.img$/.test(name)) await rewrite(`${folder}/${name}`, { [CORE.threadCore]: noCapabilities });
  }
}

// Field numbers: CRIU's images/fdinfo.proto, regfile.proto and sk-unix.proto.
const FILE = { regular: 3, unixSocket: 16 } as const;
const REGULAR_FILE = { size: 8, mode: 10, buildId: 11 } as const;
const EXECUTABLE = 0o111;

/** A socket in the filesystem that has another name there than the one that it was bound to. */
export interface RenamedSocket {
  readonly bound: string;
  readonly named: string;
}

const UNIX_SOCKET = { name: 11, deleted: 15 } as const;

/** Edits what an image says of open files. Without a `files.img` there are none. Throws a DamagedImage. */
export async function mendFiles(folder: string, renamed: readonly RenamedSocket[]): Promise<void> {
  const path = `${folder}/files.img`;
  const image = await fs.readFile(path).catch(() => undefined);
  if (image === undefined) return;
  await fs.writeFile(path, naming(path, () => writeMessages(image, readMessages(image).map((file) => withName(withoutSize(file), renamed)))));
}

/** CRIU binds a socket to the name that it was bound to, and takes that away if it was gone. It is to be found where it was. */
function withName(file: Uint8Array, renamed: readonly RenamedSocket[]): Uint8Array {
  return orDamaged(() => {
    const socket = field(file, FILE.unixSocket).bytes;
    const name = socket && field(socket, UNIX_SOCKET.name).bytes;
    const found = name && renamed.find(({ bound }) => `${bound}\0` === Buffer.from(name).toString());
    return found === undefined ? file : edit(file, { [FILE.unixSocket]: { message: { [UNIX_SOCKET.name]: { bytes: Buffer.from(`${found.named}\0`) }, [UNIX_SOCKET.deleted]: { absent: true } } } });
  });
}

/**
 * CRIU refuses to open a file that has not the size that it had (validate_file() in criu/files-reg.c), and with it the whole
 * restore. A log may have grown meanwhile, written by whoever was imaged later, or is restored before; its reader would have
 * seen that as well. Programs and libraries are still to be the same.
 */
function withoutSize(file: Uint8Array): Uint8Array {
  return orDamaged(() => {
    const regular = field(file, FILE.regular).bytes;
    const mode = regular && field(regular, REGULAR_FILE.mode).varint;
    if (regular === undefined || mode === undefined || (mode & EXECUTABLE) !== 0 || Object.keys(field(regular, REGULAR_FILE.buildId)).length > 0) return file;
    return edit(file, { [FILE.regular]: { message: { [REGULAR_FILE.size]: { absent: true } } } });
  });
}

// Field numbers: CRIU's images/tcp-stream.proto.
const TCP_STREAM = { received: 2, windowUpdatedBy: 13, sendWindow: 14, largestSendWindow: 15, receiveWindow: 16, receiveWindowFrom: 17 } as const;

/** Sequence numbers wrap around (after() in include/net/tcp.h). */
const isAfter = (one: number, other: number): boolean => ((one - other) | 0) > 0;

/** What of a connection's windows the kernel would not take back (tcp_repair_set_window() in net/ipv4/tcp.c), as it would. */
function windowEdits(stream: Uint8Array): Edits {
  const value = (number: number): number | undefined => field(stream, number).varint;
  const received = value(TCP_STREAM.received);
  const [updatedBy, sendWindow, largest, window, from] = [TCP_STREAM.windowUpdatedBy, TCP_STREAM.sendWindow, TCP_STREAM.largestSendWindow, TCP_STREAM.receiveWindow, TCP_STREAM.receiveWindowFrom].map(value);
  if (received === undefined || updatedBy === undefined || sendWindow === undefined || largest === undefined || window === undefined || from === undefined) return {};
  const end = (received + window) >>> 0;
  return {
    ...(isAfter(updatedBy, end) ? { [TCP_STREAM.windowUpdatedBy]: { varint: end } } : {}),
    ...(largest < sendWindow ? { [TCP_STREAM.largestSendWindow]: { varint: sendWindow } } : {}),
    ...(isAfter(from, received) ? { [TCP_STREAM.receiveWindowFrom]: { varint: received } } : {}),
  };
}

/**
 * A connection into which its peer sends more than there is memory for may have its window closed below a segment that was
 * dropped for that, but had brought the peer's window up to date (tcp_select_window() in net/ipv4/tcp_output.c). The kernel
 * lives with that, and refuses to be told so: CRIU could restore nothing of that program. The peer sends the segment again
 * in any case. Gives how many connections are mended.
 */
export async function mendWindows(folder: string): Promise<number> {
  let mended = 0;
  for (const name of (await fs.readdir(folder)).filter((each) => /^tcp-stream-[0-9a-f]+\.img$/.test(each))) {
    const path = `${folder}/${name}`;
    const image = await fs.readFile(path);
    const edited = naming(path, () => mendedStream(image));
    if (edited === undefined) continue;
    await fs.writeFile(path, edited);
    mended += 1;
  }
  return mended;
}

/** The image of a connection is one message, and behind it what is in its queues. Undefined where nothing is to be mended. */
export function mendedStream(image: Buffer): Buffer | undefined {
  const at = headerBytes(image);
  const end = at + 4 <= image.length ? at + 4 + image.readUInt32LE(at) : Infinity;
  if (end > image.length) throw new DamagedImage('it ends within a message');
  const stream = image.subarray(at + 4, end);
  const edits = orDamaged(() => windowEdits(stream));
  if (Object.keys(edits).length === 0) return undefined;
  return Buffer.concat([writeMessages(image, [editMessage(stream, edits)]), image.subarray(end)]);
}

// compel/include/uapi/task-state.h
const TASK_STATES = { alive: 1, stopped: 3 } as const;

const SIGNALS = { queued: 1 } as const;
const QUEUED = { siginfo: 1 } as const;
const SIGCHLD = 17;
const CLD_STOPPED = 5;

/** That a child was stopped (`struct siginfo` of sigaction(2)). */
function tellsOfStop(queued: Uint8Array): boolean {
  const siginfo = Buffer.from(field(queued, QUEUED.siginfo).bytes ?? []);
  return siginfo.length >= 12 && siginfo.readInt32LE(0) === SIGCHLD && siginfo.readInt32LE(8) === CLD_STOPPED;
}

/**
 * Has these processes run when they are restored, and know nothing of it, though they were stopped when they were imaged: a handler
 * of SIGCHLD that waits for a child to end would wait for ever.
 */
async function restoreRunning(folder: string, pids: readonly number[]): Promise<void> {
  const names = new Set(await fs.readdir(folder));
  for (const path of pids.map((pid) => `core-${pid.toString()}.img`).filter((name) => names.has(name)).map((name) => `${folder}/${name}`)) {
    const { first } = await readImage(path);
    const state = naming(path, () => orDamaged(() => field(field(first, CORE.taskCore).bytes ?? new Uint8Array(), TASK_CORE.state).varint));
    // One that has ended waits for its parent still.
    if (state === TASK_STATES.stopped) await rewrite(path, { [CORE.taskCore]: { message: {
      [TASK_CORE.state]: { varint: TASK_STATES.alive },
      [TASK_CORE.signals]: { message: { [SIGNALS.queued]: { without: tellsOfStop } } },
    } } });
  }
}

/** What is to be edited in the images of a workload. */
export interface ImageEdits {
  /** It has a user namespace, of PrivateUsers=yes. */
  readonly privateUsers: boolean;
  readonly renamedSockets: readonly RenamedSocket[];
}

/**
 * Edits images so that CRIU can restore them where it could not, or not as it was. `stopped` are the processes that ran until they
 * were stopped for the image. Throws a DamagedImage.
 */
export async function mendImage(folder: string, { privateUsers, renamedSockets }: ImageEdits, stopped: readonly number[] = []): Promise<{ readonly mendedWindows: number }> {
  if (privateUsers) await leaveUserNamespace(folder);
  await restoreRunning(folder, stopped);
  await mendFiles(folder, renamedSockets);
  return { mendedWindows: await mendWindows(folder) };
}

/** Whether a process of an image has set an interval timer (setitimer(2), alarm(2)), which nothing else tells. */
export async function setsIntervalTimer(folder: string): Promise<boolean> {
  for (const name of (await fs.readdir(folder)).filter((each) => /^core-\d+\.img$/.test(each))) {
    const { first } = await readImage(`${folder}/${name}`);
    const timers = naming(`${folder}/${name}`, () => orDamaged(() => field(field(first, CORE.taskCore).bytes ?? new Uint8Array(), TASK_CORE.timers).bytes));
    if (timers === undefined) continue;
    for (const kind of Object.values(TIMERS)) {
      const timer = field(timers, kind).bytes ?? new Uint8Array();
      if (Object.values(INTERVAL_TIMER).some((number) => (field(timer, number).varint ?? 0) > 0)) return true;
    }
  }
  return false;
}
