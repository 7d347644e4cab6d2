/** What becomes of the machine's watchdog when another kernel is started. Times are microseconds, in decimal, as systemd has them. */
export type WatchdogChoice =
  | { readonly kind: 'none' }
  /**
   * It counts `seconds` from the jump on, until one of the new kernel's `drivers` has it. `before` is what systemd had
   * set. `goesOn`: no driver stops it at the jump; else that is up to its own.
   */
  | { readonly kind: 'counts'; readonly identity: string; readonly seconds: number; readonly drivers: readonly string[]; readonly before: string; readonly goesOn: boolean }
  /** It would start the machine again amid the restores: systemd stops it, if that has it. */
  | { readonly kind: 'stopped'; readonly identity: string; readonly why: string; readonly before: string };
