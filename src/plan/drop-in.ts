import type { Workload } from '../model/workload.ts';

/**
 * The drop-in under which systemd starts a carried unit in the new kernel: its own sandbox, limits and user, built
 * around a sleeping process, the anchor; then boot/restore, which is not sandboxed, restores the workload in there and
 * makes it the main process. `segue settle` takes the drop-in away.
 */
export function dropIn(workload: Workload): string {
  const noExec = (workload.properties['NoExecPaths'] ?? '') !== '';
  return [
    '# Written by segue for one boot; gone when the upgrade is settled.',
    '[Unit]',
    'Wants=segue-state.service',
    'After=segue-state.service',
    'OnFailure=segue-afresh@%n.service',
    '',
    '[Service]',
    'Type=exec',
    'NotifyAccess=all',
    'PIDFile=',
    'ExecCondition=',
    'ExecStartPre=',
    'ExecStart=',
    'ExecStart=/usr/bin/sleep infinity',
    'ExecStartPost=',
    'ExecStartPost=+/usr/lib/segue/restore %n $MAINPID',
    'Restart=no',
    'WatchdogSec=0',
    'TimeoutStartSec=30min',
    // The one program that the sandbox must let run.
    ...(noExec ? ['ExecPaths=/usr/bin/sleep'] : []),
    '',
  ].join('\n');
}
