import { preparedState } from '../../../lab/demo/prepared.js';
import { ensurePsql } from '../../../lab/demo/psql.js';
import { openLab, type BaseOptions, type Guest } from '../../../lab/lab.js';
import { logToStderr } from '../../../lab/log.js';

/** A Debian server on Linux 6.12 with the demo's services, in which Segue is installed and set up. */
export async function startServer(more: Pick<BaseOptions, 'memory'> = {}): Promise<Guest> {
  const lab = openLab({ log: logToStderr });
  await ensurePsql();
  return await lab.up({ state: await preparedState(lab, '6.12', more) });
}
