/** A service that the prober asks from outside. */
export interface Service {
  readonly name: string;
  /** What the targets are about. */
  readonly critical: boolean;
  /** As systemctl takes it. */
  readonly unit: string;
}

export const SERVICES = [
  { name: 'nginx', critical: true, unit: 'nginx.service' },
  { name: 'redis', critical: true, unit: 'redis-server.service' },
  { name: 'memcached', critical: false, unit: 'memcached.service' },
  { name: 'postgresql', critical: false, unit: 'postgresql@*.service' },
  { name: 'mariadb', critical: false, unit: 'mariadb.service' },
  { name: 'counter', critical: false, unit: 'counter.service' },
] as const satisfies readonly Service[];

/** The machine itself: a port at which nobody listens. That a connection is refused is its answer. */
export const NETWORK = 'network';
