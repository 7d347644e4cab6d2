import { promises as fs } from 'node:fs';

/** Writes a file of root's own; with `durably` it is on disk before this returns. */
export async function write(path: string, content: string, { durably = false } = {}): Promise<void> {
  await fs.mkdir(path.slice(0, path.lastIndexOf('/')), { recursive: true, mode: 0o700 });
  const file = await fs.open(path, 'w', 0o600);
  try {
    await file.writeFile(content);
    if (durably) await file.sync();
  } finally {
    await file.close();
  }
}
