import { promises as fs } from 'node:fs';
import { DamagedImage, headerBytes, messageEnd } from './criu-images.ts';

// CRIU's images/pagemap.proto and criu/include/pagemap.h.
const FIELD = { start: 1, pages: 2, inParent: 3, flags: 4, manyPages: 5 } as const;
const [IN_PARENT, PRESENT] = [1, 4];
const PAGE_BYTES = 4096;

/** Start, end, flags, and where its pages are in their file: 64 bits each, the lower half first. */
const INDEX_BYTES = 32;

/**
 * Where each page of an image is, as boot/memory looks it up: what a pagemap says, in entries of one size. There may be hundreds of
 * thousands of them, and to read as many messages takes longer than all else of a restore. Throws a DamagedImage.
 */
export function pageIndex(pagemap: Buffer): Buffer {
  // No message is shorter than its length.
  const index = Buffer.alloc((pagemap.length >> 2) * INDEX_BYTES);
  let size = 0;
  const put = (value: number): void => {
    if (value >= 2 ** 64) throw new DamagedImage('a pagemap has an address that is none');
    size = index.writeUInt32LE(value % 2 ** 32, size);
    size = index.writeUInt32LE(Math.floor(value / 2 ** 32), size);
  };
  let offset = 0;
  for (let at = behindFirst(pagemap); at < pagemap.length;) {
    const end = messageEnd(pagemap, at);
    readNumbers(pagemap, at + 4, end);
    const start = found[FIELD.start]!;
    const bytes = (found[FIELD.manyPages]! || found[FIELD.pages]!) * PAGE_BYTES;
    const flags = found[FIELD.flags]! || (found[FIELD.inParent] === 1 ? IN_PARENT : PRESENT);
    put(start);
    put(start + bytes);
    put(flags);
    put(offset);
    if ((flags & PRESENT) !== 0) offset += bytes;
    at = end;
  }
  return index.subarray(0, size);
}

/** The first message is about the file of pages. */
const behindFirst = (image: Buffer): number => messageEnd(image, headerBytes(image));

/** The numbers of an entry, by field; those that are not there are 0. One for all: between two rounds of a busy task every moment counts. */
const found = [0, 0, 0, 0, 0, 0];

function readNumbers(image: Buffer, from: number, end: number): void {
  found.fill(0);
  for (let at = from; at < end;) {
    const field = image[at++]! >> 3;
    if (field < FIELD.start || field > FIELD.manyPages) throw new DamagedImage(`a pagemap has a field ${field.toString()}`);
    let [value, factor] = [0, 1];
    for (;;) {
      if (at >= end) throw new DamagedImage('a number of a pagemap is cut off');
      const byte = image[at++]!;
      value += (byte & 127) * factor;
      if (byte < 128) break;
      factor *= 128;
    }
    found[field] = value;
  }
}

/** Writes an index beside each pagemap in a folder of images that this code can read; the others are for CRIU alone. */
export async function indexPages(folder: string): Promise<void> {
  for (const name of await fs.readdir(folder)) {
    const [, pid] = /^pagemap-(\d+)\.img$/.exec(name) ?? [];
    if (pid === undefined) continue;
    try {
      await fs.writeFile(`${folder}/pagemap-${pid}.index`, pageIndex(await fs.readFile(`${folder}/${name}`)), { mode: 0o600 });
    } catch (error) {
      if (!(error instanceof DamagedImage)) throw error;
    }
  }
}
