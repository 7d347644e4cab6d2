import type { Guest } from '../lab.js';

export interface Accident {
  /** Units that wait until it has happened. */
  readonly before: readonly string[];
  /** What happens, for bash. */
  readonly script: string;
}

const AFTER_THE_JUMP = 'ConditionKernelCommandLine=segue.upgrade';
export const PANIC = 'echo c >/proc/sysrq-trigger';

/** Something that befalls the machine while it restores, in the boot that follows the jump only. */
export async function arrange(guest: Guest, name: string, { before, script }: Accident): Promise<void> {
  const unit = `[Unit]
DefaultDependencies=no
${AFTER_THE_JUMP}
After=segue-lock.service
Before=${before.join(' ')}
[Service]
Type=oneshot
TimeoutStartSec=infinity
ExecStart=/usr/local/sbin/${name}
[Install]
WantedBy=segue-restore.target
`;
  await guest.exec(['install', '-m', '755', '/dev/stdin', `/usr/local/sbin/${name}`], { input: `#!/bin/bash\n${script}\n` });
  await guest.exec(['tee', `/etc/systemd/system/${name}.service`], { input: unit });
  await guest.exec(`systemctl daemon-reload && systemctl enable ${name} && sync`);
}
