/** Where a client finds its server, and how hard it may work it. */
export interface Target {
  readonly host: string;
  readonly port: number;
  /** Between an answer and the next operation: real load, but not so much that it starves an emulated guest. */
  readonly intervalMs?: number;
  /** How long an answer may take until the connection counts as lost. */
  readonly patienceMs?: number;
}

/** One kind of client: opens its connection once and uses it until it is told to stop. */
export interface Client {
  readonly name: string;
  /** Where its server listens when nothing else is said. */
  readonly port: number;
  /** Resolves once the first answers are in; rejects if the server cannot be used at all. */
  start(target: Target): Promise<Running>;
}

/** A client at work. */
export interface Running {
  progress(): Progress;
  /** Lets the operation that is under way finish, makes the last checks, and closes the connection. */
  stop(): Promise<ClientResult>;
}

export interface Counts {
  /** Operations that were answered, and rightly. */
  readonly answers: number;
  /** Connections that were closed, reset, or not answered for longer than the patience lasts. */
  readonly lost: number;
  /** Answers that were wrong, missing or doubled; connections that were refused. */
  readonly errors: number;
}

export interface Progress extends Counts {
  readonly name: string;
  /** Since the last answer. */
  readonly waitingMs: number;
}

export interface ClientResult extends Counts {
  readonly name: string;
  /** The longest time between two answers in a row: the pause as seen from outside. */
  readonly pauseMs: number;
  readonly longestGaps: readonly Gap[];
  /** The first few of what was lost or wrong, in words. */
  readonly messages: readonly string[];
  readonly detail?: Readonly<Record<string, string | number>>;
}

/** A time between two answers in a row. */
export interface Gap {
  readonly startedAt: string;
  readonly ms: number;
}

export const DEFAULT_INTERVAL_MS = 250;
export const DEFAULT_PATIENCE_MS = 180_000;
