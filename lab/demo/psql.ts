import { execa } from 'execa';
import { run } from '../host/run.js';
import { stage } from './stage.js';

/** One of the clients is psql itself: puts it on this machine if it is missing. */
export async function ensurePsql(): Promise<void> {
  const found = await execa('psql', ['--version'], { reject: false });
  if (!found.failed) return;
  stage.line('installing postgresql-client on this machine');
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['-o', 'DPkg::Lock::Timeout=300', 'install', '-y', '--no-install-recommends', 'postgresql-client'], {
    env,
    hint: 'as root: apt-get install postgresql-client',
  });
}
