import { readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const DELETED = ' (deleted)';

/** What a task has open or mapped under a name that is gone: that name, and a link to the file itself. */
function nameless(pid: number): { name: string; link: string }[] {
  const proc = `/proc/${pid.toString()}`;
  try {
    const open = readdirSync(`${proc}/fd`).flatMap((fd) => {
      const link = `${proc}/fd/${fd}`;
      try {
        return [{ name: readlinkSync(link), link }];
      } catch {
        return []; // closed meanwhile
      }
    });
    const mapped = Array.from(readFileSync(`${proc}/maps`, 'utf8').matchAll(/^(\S+) .*?(\/.* \(deleted\))$/gm), ([, range = '', name = '']) => ({ name, link: `${proc}/map_files/${range}` }));
    return [...open, ...mapped].flatMap(({ name, link }) => (name.startsWith('/') && name.endsWith(DELETED) ? [{ name: name.slice(0, -DELETED.length), link }] : []));
  } catch {
    return []; // it has ended
  }
}

/**
 * A file that a task has open, that has lost its name and has another one still, gets a third from CRIU in the same
 * folder, `link_remap.N`, by which the restore would find it. This removes them again. They are found by the files
 * themselves: CRIU's log does not name them, and a CRIU that was killed leaves no image that does.
 */
export function removeLinkRemaps(pids: readonly number[]): void {
  for (const pid of pids) {
    for (const { name, link } of nameless(pid)) {
      try {
        const file = statSync(link, { bigint: true });
        if (file.nlink === 0n) continue;
        const folder = `/proc/${pid.toString()}/root${dirname(name)}`;
        for (const entry of readdirSync(folder).filter((other) => /^link_remap\.\d+$/.test(other))) {
          const other = statSync(`${folder}/${entry}`, { bigint: true });
          if (other.dev === file.dev && other.ino === file.ino) rmSync(`${folder}/${entry}`);
        }
      } catch {
        // Its folder is gone, too, or the task has closed it.
      }
    }
  }
}
