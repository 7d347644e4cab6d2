import { promises as fs } from 'node:fs';

/** Writes a file of root's own and waits until it is on disk. */
export async function writeDurably(path: string, content: string): Promise<void> {
  await fs.mkdir(path.slice(0, path.lastIndexOf('/')), { recursive: true, mode: 0o700 });
  const file = await fs.open(path, 'w', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}
