import { preparedState } from '../../../lab/demo/prepared.js';
import { ensurePsql } from '../../../lab/demo/psql.js';
import { preparedState as faultsState } from '../../../lab/faults/prepared.js';
import { Server } from '../../../lab/faults/server.js';
import { openLab, type Guest } from '../../../lab/lab.js';
import { logToStderr } from '../../../lab/log.js';

/** A Debian server on Linux 6.12 with the demo's services, in which Segue is installed and set up. */
export async function startServer(): Promise<Guest> {
  const lab = openLab({ log: logToStderr });
  await ensurePsql();
  return await lab.up({ state: await preparedState(lab, '6.12') });
}

/** One with the few services that faults befall: many upgrades of it take less long. */
export async function startSmallServer(): Promise<Server> {
  const lab = openLab({ log: logToStderr });
  return await Server.start(lab, await faultsState(lab));
}
