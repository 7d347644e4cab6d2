/** A service that the prober asks from outside. */
export interface Service {
  readonly name: string;
  /** A workload that Segue carries; the network itself is none. */
  readonly carried: boolean;
  /** What the targets are about. */
  readonly critical: boolean;
  /** As systemctl takes it. */
  readonly unit: string;
}

export const SERVICES = [
  { name: 'nginx', carried: true, critical: true, unit: 'nginx.service' },
  { name: 'redis', carried: true, critical: true, unit: 'redis-server.service' },
  { name: 'memcached', carried: true, critical: false, unit: 'memcached.service' },
  { name: 'postgresql', carried: true, critical: false, unit: 'postgresql@*.service' },
  { name: 'mariadb', carried: true, critical: false, unit: 'mariadb.service' },
  { name: 'counter', carried: true, critical: false, unit: 'counter.service' },
] as const satisfies readonly Service[];

/** The machine itself: a port at which nobody listens. That a connection is refused is its answer. */
export const NETWORK = 'network';

export const CARRIED = SERVICES.map(({ name }) => name);
export const CRITICAL: readonly string[] = SERVICES.filter(({ critical }) => critical).map(({ name }) => name);
