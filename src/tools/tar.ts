/**
 * A command that archives a folder with owners, modes, times, ACLs and extended attributes, without crossing into other
 * filesystems. Sockets are left out: CRIU makes those of carried tasks again. `left` are shell patterns of names at the top.
 */
export function archive(folder: string, file: string, left: readonly string[] = []): string[] {
  return [
    'tar', '--create', '--file', file, '--directory', folder, '--one-file-system', '--sparse', '--numeric-owner', '--acls', '--xattrs',
    '--xattrs-include=*', '--warning=no-file-ignored', '--warning=no-file-changed', '--anchored', '--wildcards', '--no-wildcards-match-slash',
    ...left.map((name) => `--exclude=./${name}`), '.',
  ];
}

/** A name for the archive of this folder that no other folder's has, in one word. */
export const archiveName = (folder: string): string => `${encodeURIComponent(folder.slice(1)) || 'root'}.tar`;
