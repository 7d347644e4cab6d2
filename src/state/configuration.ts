import { promises as fs } from 'node:fs';

/** Writes a file of the machine's configuration, whole or not at all, readable for everybody as such files are. */
export async function writeConfiguration(path: string, content: string): Promise<void> {
  const temporary = `${path}.segue-new`;
  await fs.mkdir(path.slice(0, path.lastIndexOf('/')), { recursive: true, mode: 0o755 });
  await fs.writeFile(temporary, content, { mode: 0o600 });
  await fs.chmod(temporary, 0o644);
  await fs.rename(temporary, path);
}
