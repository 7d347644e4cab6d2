import { ok, type Result } from '../failure/result.ts';
import { run, runOk } from './command.ts';

/** A unit's properties as `systemctl show` prints them: every value a string, as documented in systemctl(1). */
export type Properties = Readonly<Record<string, string>>;

const PROPERTIES = [
  'Id', 'Description', 'Type', 'MainPID', 'ControlGroup', 'ActiveState', 'SubState', 'FragmentPath', 'DropInPaths', 'Transient', 'User', 'BusName',
  'RootDirectory', 'RootImage', 'PrivateIPC', 'PrivateUsers', 'RuntimeDirectory', 'PIDFile', 'TriggeredBy', 'NFileDescriptorStore',
  'StandardInput', 'StandardOutput', 'DefaultDependencies', 'NoExecPaths', 'After', 'ExecMainStartTimestamp', 'ExecStart', 'ExecStartPost',
  'WatchdogUSec',
];

/** Parses the blocks that `systemctl show A B …` prints, one a unit, an empty line between them. */
export function parseShow(text: string): Properties[] {
  return text
    .split(/\n\n+/)
    .map((block) => {
      const properties: Record<string, string> = {};
      for (const line of block.split('\n')) {
        const at = line.indexOf('=');
        if (at <= 0) continue;
        const [name, value] = [line.slice(0, at), line.slice(at + 1)];
        // ExecStart= and its like come once for each command; of all others that come more than once the first is enough.
        const before = properties[name];
        properties[name] = before === undefined ? value : name.startsWith('Exec') ? `${before}\n${value}` : before;
      }
      return properties;
    })
    .filter((properties) => properties['Id'] !== undefined);
}

/** Of a unit whose `ActiveState` was asked for: nothing of it runs, or is about to. */
export const hasEnded = ({ ActiveState: state = '' }: Properties): boolean => ['inactive', 'failed'].includes(state);

/** The first column of what `systemctl list-units` and `list-unit-files` print. */
export const parseNames = (text: string): string[] => text.split('\n').flatMap((line) => line.trim().split(/\s+/)[0] || []);

/** Names of the units of these types that are active, or on their way in or out. */
export async function activeUnits(types: readonly string[]): Promise<Result<string[]>> {
  const listed = await runOk(['systemctl', 'list-units', '--plain', '--no-legend', '--full', `--type=${types.join(',')}`, '--state=active,reloading,activating,deactivating']);
  if (!listed.ok) return listed;
  return ok(parseNames(listed.value));
}

/** Names of the services that are started at boot. */
export async function enabledServices(): Promise<Result<string[]>> {
  const listed = await runOk(['systemctl', 'list-unit-files', '--no-legend', '--full', '--type=service', '--state=enabled,enabled-runtime,generated']);
  if (!listed.ok) return listed;
  return ok(parseNames(listed.value));
}

export async function show(units: readonly string[], properties: readonly string[] = PROPERTIES): Promise<Result<Properties[]>> {
  if (units.length === 0) return ok([]);
  const shown = await runOk(['systemctl', 'show', `--property=${['Id', ...properties].join(',')}`, '--', ...units]);
  return shown.ok ? ok(parseShow(shown.value)) : shown;
}

/** By these a unit that is stopped has others stopped (systemd.unit(5)). */
const STOPS = ['RequiredBy', 'RequisiteOf', 'BoundBy', 'ConsistsOf', 'PropagatesStopTo'];

/** All units that systemd stops along with these. */
export async function stoppedAlong(units: readonly string[]): Promise<Result<string[]>> {
  const found = new Set(units);
  for (let next = units; next.length > 0; ) {
    const shown = await show(next, STOPS);
    if (!shown.ok) return shown;
    next = [...new Set(shown.value.flatMap((properties) => STOPS.flatMap((name) => (properties[name] ?? '').split(' ').filter(Boolean))))].filter((unit) => !found.has(unit));
    for (const unit of next) found.add(unit);
  }
  return ok([...found].filter((unit) => !units.includes(unit)));
}

/** Whether systemd ends services that have not reported to it in time (WatchdogSec= of systemd.service(5)). */
export const endsSilentServices = async (): Promise<boolean> => (await run(['systemctl', 'service-watchdogs'])).stdout.trim() !== 'no';
export const setServiceWatchdogs = (to: 'yes' | 'no'): readonly string[] => ['systemctl', 'service-watchdogs', to];

export const daemonReload = (): Promise<Result<string>> => runOk(['systemctl', 'daemon-reload']);

export async function isActive(unit: string): Promise<boolean> {
  return (await run(['systemctl', 'is-active', '--quiet', '--', unit])).exitCode === 0;
}
