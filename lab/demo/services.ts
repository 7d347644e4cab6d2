import type { Guest } from '../guest/guest.js';
import { LabError } from '../errors.js';
import type { UptimeName } from './uptimes.js';

/** A service that the demo looks at. */
export interface DemoService {
  /** As systemctl takes it; PostgreSQL has its version in the name of its unit. */
  readonly pattern: string;
  /** The clients that use it from outside. */
  readonly clients: readonly string[];
  /** Where it tells itself how long it has been running, if it does. */
  readonly uptime?: UptimeName;
}

export const DEMO_SERVICES: readonly DemoService[] = [
  { pattern: 'nginx.service', clients: ['http-keepalive', 'http-new'] },
  { pattern: 'redis-server.service', clients: ['redis'], uptime: 'redis' },
  { pattern: 'postgresql@*.service', clients: ['postgresql', 'postgresql-commits'], uptime: 'postgresql' },
  { pattern: 'mariadb.service', clients: ['mariadb'], uptime: 'mariadb' },
  { pattern: 'memcached.service', clients: ['memcached'], uptime: 'memcached' },
  { pattern: 'counter.service', clients: ['websocket', 'http-long'], uptime: 'counter' },
  { pattern: 'ticker.service', clients: ['ticker'] },
];

/** What systemd says of a unit. */
export interface UnitState {
  readonly unit: string;
  readonly pid: number;
  readonly active: boolean;
}

const DEMO_PATTERNS = DEMO_SERVICES.map(({ pattern }) => pattern);

/** The units of these services, in their order. */
export async function readUnits(guest: Guest, patterns: readonly string[] = DEMO_PATTERNS): Promise<UnitState[]> {
  const { stdout } = await guest.exec(['systemctl', 'show', '-p', 'Id,MainPID,ActiveState', ...patterns]);
  const units = parseUnits(stdout);
  return patterns.map((pattern) => {
    const unit = units.find((candidate) => matches(candidate.unit, pattern));
    if (unit === undefined) throw new LabError(`the guest has no unit ${pattern}`);
    return unit;
  });
}

/** The blocks that `systemctl show` prints, one for each unit. */
export function parseUnits(output: string): UnitState[] {
  return output.split('\n\n').map((block) => {
    const properties = new Map(block.split('\n').map((line) => [line.split('=', 1)[0], line.slice(line.indexOf('=') + 1)]));
    return {
      unit: properties.get('Id') ?? '',
      pid: Number(properties.get('MainPID')),
      active: properties.get('ActiveState') === 'active',
    };
  });
}

/** Whether a unit is one of those that a pattern, as systemctl takes it, stands for. */
export function matches(unit: string, pattern: string): boolean {
  const [start = '', end] = pattern.split('*');
  return end === undefined ? unit === pattern : unit.startsWith(start) && unit.endsWith(end);
}

/** How long the guest's kernel has been running. */
export async function kernelUptime(guest: Guest): Promise<number> {
  const { stdout } = await guest.exec(['cat', '/proc/uptime']);
  return Number(stdout.split(' ')[0]);
}
