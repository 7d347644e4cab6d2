import { promises as fs, readdirSync, readlinkSync } from 'node:fs';
import { cgroupProcesses } from '../survey/task.ts';
import { run } from '../tools/command.ts';
import { write } from './write.ts';

/** Reads and sets them; see there. */
const SOCKET_OPTIONS = '/usr/lib/segue/socket-options';

function holdsSocket(pid: number): boolean {
  const folder = `/proc/${pid.toString()}/fd`;
  try {
    return readdirSync(folder).some((fd) => readlinkSync(`${folder}/${fd}`).startsWith('socket:'));
  } catch {
    return false; // it has ended
  }
}

/** Writes what CRIU does not image of the sockets of a workload; no file if there is nothing. */
export async function writeSocketOptions(workload: string, controlGroup: string): Promise<void> {
  const pids = (await cgroupProcesses(controlGroup)).pids.filter(holdsSocket);
  const { stdout } = pids.length === 0 ? { stdout: '' } : await run([SOCKET_OPTIONS, 'read', ...pids.map(String)]);
  const path = `${workload}/socket-options`;
  await (stdout === '' ? fs.rm(path, { force: true }) : write(path, stdout));
}
