import type { Obstacle } from './obstacle.ts';

/** Every failure that Segue expects, discriminated by `reason`. Their sentences are in `words.ts`. */
export type Failure =
  | { readonly reason: 'not-root' }
  | { readonly reason: 'tool-missing'; readonly tool: string; readonly package: string }
  | { readonly reason: 'criu-too-old'; readonly version: string; readonly needed: string; readonly kernel: string }
  | { readonly reason: 'kernel-unknown'; readonly asked: string; readonly installed: readonly string[] }
  | { readonly reason: 'kernel-incomplete'; readonly kernel: string; readonly missing: string }
  | { readonly reason: 'kernel-lacks'; readonly kernel: string; readonly options: readonly string[] }
  | { readonly reason: 'kexec-disabled' }
  | { readonly reason: 'kexec-locked-down'; readonly mode: string }
  | { readonly reason: 'store-too-small'; readonly path: string; readonly neededBytes: number; readonly freeBytes: number }
  | { readonly reason: 'store-not-on-root'; readonly path: string; readonly mount: string }
  | { readonly reason: 'store-read-only'; readonly path: string }
  | { readonly reason: 'store-exposed'; readonly path: string; readonly folder: string }
  | { readonly reason: 'ram-store-too-large'; readonly askedBytes: number; readonly mostBytes: number }
  | { readonly reason: 'ram-store-unsupported'; readonly kernel: string; readonly missing: readonly string[] }
  | { readonly reason: 'key-stays-behind'; readonly why: string }
  | { readonly reason: 'obstacles'; readonly blocked: readonly Blocked[] }
  | { readonly reason: 'stopped-along'; readonly units: readonly string[]; readonly stopped: readonly string[] }
  | { readonly reason: 'unit-unknown'; readonly unit: string }
  | { readonly reason: 'kernel-not-named' }
  | { readonly reason: 'nothing-to-prepare' }
  | { readonly reason: 'prepared-already' }
  | { readonly reason: 'prepared-no-more' }
  | { readonly reason: 'prepared-elsewhere'; readonly store?: string }
  | { readonly reason: 'nothing-to-cancel' }
  | { readonly reason: 'upgrade-running'; readonly pid: number }
  | { readonly reason: 'not-settled'; readonly id: string }
  | { readonly reason: 'upgrade-unknown'; readonly id: string }
  | { readonly reason: 'nothing-kept'; readonly id: string }
  | { readonly reason: 'confirmation-needed'; readonly command: string }
  | { readonly reason: 'declined' }
  | { readonly reason: 'interrupted'; readonly signal: NodeJS.Signals }
  | { readonly reason: 'guard-gone' }
  | { readonly reason: 'listen-queue'; readonly ports: readonly number[]; readonly seconds: number }
  | { readonly reason: 'dump-failed'; readonly unit: string; readonly errors: readonly string[]; readonly log: string }
  | { readonly reason: 'not-on-disk'; readonly what: string; readonly error: string }
  | { readonly reason: 'workload-changed'; readonly unit: string; readonly what: string }
  | { readonly reason: 'unit-began'; readonly unit: string }
  | { readonly reason: 'shutdown-inhibited'; readonly who: string; readonly why: string; readonly pid: number }
  | { readonly reason: 'step-failed'; readonly step: string; readonly error: string }
  | { readonly reason: 'command-failed'; readonly command: string; readonly exitCode: number; readonly output: string }
  | { readonly reason: 'output-unreadable'; readonly command: string; readonly output: string }
  | { readonly reason: 'not-after-a-jump' };

export interface Blocked {
  readonly unit: string;
  readonly obstacles: readonly Obstacle[];
}
