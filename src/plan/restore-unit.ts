import type { Workload } from '../model/workload.ts';

/** What of a unit's own [Unit] section counts while it is restored: words for people, and what its sandbox is made of. */
const KEPT_IN_UNIT = new Set(['Description', 'Documentation', 'SourcePath', 'RequiresMountsFor', 'WantsMountsFor', 'JoinsNamespaceOf']);

/** A backslash that another one escapes does not count (config_parse() in systemd's src/shared/conf-parser.c). */
function isContinued(line: string): boolean {
  let at = line.length;
  while (line[at - 1] === '\\') at -= 1;
  return (line.length - at) % 2 === 1;
}

/** Lines of a unit file, those that end with a backslash joined to the next (systemd.syntax(7)); no comments. */
export function logicalLines(text: string): string[] {
  const lines: string[] = [];
  let open = '';
  for (const line of text.split(/\r\n?|\n/)) {
    if (/^\s*[#;]/.test(line)) continue;
    if (isContinued(line)) open += `${line.slice(0, -1)} `;
    else {
      lines.push(`${open}${line}`);
      open = '';
    }
  }
  // A blank at the end may be all that keeps a backslash from joining the next line.
  return [...lines, open].map((line) => line.trimStart()).filter(Boolean);
}

/** The name of the section that begins with this line. */
export const sectionOf = (line: string): string | undefined => /^\[(.+)\]$/.exec(line.trimEnd())?.[1];

function ownLines(text: string): string[] {
  let section = '';
  return logicalLines(text).filter((line) => {
    section = sectionOf(line) ?? section;
    if (section === 'Service') return true;
    return section === 'Unit' && (line.startsWith('[') || KEPT_IN_UNIT.has(line.slice(0, line.indexOf('=')).trim()));
  });
}

/** What the unit does when it has ended: the values that stand, as an empty one takes back those before it (systemd.service(5)). */
const stopPosts = (lines: readonly string[]): string[] => {
  const all = lines.filter((line) => /^ExecStopPost\s*=/.test(line));
  return all.slice(all.findLastIndex((line) => /=\s*$/.test(line)) + 1);
};

/** Whoever comes after it waits no longer than this, also where a disk reads 10 MiB a second. */
const restoreSeconds = (memory: number): number => 300 + Math.ceil(memory / (10 * 2 ** 20));

/**
 * The unit as it is while its workload is restored: its own sandbox, limits and user, built around a sleeping process,
 * the anchor; then boot/restore, which is not sandboxed, restores the workload in there and makes it the main process.
 * It replaces the unit's own files, for a drop-in cannot take back what orders and pulls in (systemd.unit(5)), and
 * nothing but the restore is started before the workloads run again. `before` are those that come first.
 * `segue settle` takes it away.
 */
export function restoreUnit({ unitFiles, properties, memory }: Workload, before: readonly string[], required = false): string {
  const noExec = (properties['NoExecPaths'] ?? '') !== '';
  const own = unitFiles.flatMap(({ content }) => ownLines(content));
  return [
    '# Written by segue for one boot; gone when the upgrade is settled.',
    ...own,
    '',
    '[Unit]',
    'DefaultDependencies=no',
    'Wants=segue-state.service',
    'After=segue-state.service',
    ...(before.length > 0 ? [`After=${before.join(' ')}`] : []),
    'Conflicts=shutdown.target',
    'Before=shutdown.target',
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
    `TimeoutStartSec=${restoreSeconds(memory).toString()}`,
    // Of a restore that fails or hangs nothing may be left when it is started afresh; CRIU, and whom it restores, heed no other
    // signal (criu_signals_setup() in criu/util.c).
    'KillMode=control-group',
    'SendSIGKILL=yes',
    'TimeoutStartFailureMode=kill',
    `TimeoutStopSec=${(required ? 60 : 300).toString()}`,
    // What it does itself when it has ended would be too early, if the machine turns back.
    ...(required ? ['ExecStopPost=', 'ExecStopPost=+/usr/lib/segue/turn-back %n', ...stopPosts(own)] : []),
    // The one program that the sandbox must let run.
    ...(noExec ? ['ExecPaths=/usr/bin/sleep'] : []),
    '',
  ].join('\n');
}
