import type { Guest } from '../lab.js';

/** Where the real programs can be found while another takes their place, also from within a service's sandbox. */
export const REAL = '/opt/real';

/** A script takes the place of a program, which itself is then at /opt/real/NAME. */
export async function replace(guest: Guest, program: string, script: string): Promise<void> {
  const stand = `/opt/instead/${program.slice(program.lastIndexOf('/') + 1)}`;
  await guest.exec(['mkdir', '-p', REAL, '/opt/instead']);
  await guest.exec(['cp', '-a', program, REAL]);
  await guest.exec(['install', '-m', '755', '/dev/stdin', stand], { input: script });
  await guest.exec(['mount', '--bind', stand, program]);
}

/** The same until the work is done. */
export async function inPlaceOf<T>(guest: Guest, program: string, script: string, work: () => Promise<T>): Promise<T> {
  await replace(guest, program, script);
  try {
    return await work();
  } finally {
    await guest.exec(['umount', program]);
  }
}

/** Says no to some of the calls and hands the others on to the real program. */
export const refusing = (program: string, calls: string, complaint: string): string => `#!/bin/sh
case "$*" in ${calls})
	echo '${complaint}' >&2
	exit 1
	;;
esac
exec ${REAL}/${program} "$@"
`;

/** A file is gone until the work is done. */
export async function without<T>(guest: Guest, path: string, work: () => Promise<T>): Promise<T> {
  await guest.exec(['mv', path, `${path}.away`]);
  try {
    return await work();
  } finally {
    await guest.exec(['mv', `${path}.away`, path]);
  }
}
