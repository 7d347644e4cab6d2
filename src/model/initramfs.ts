/** The initramfs that the new kernel starts with. */
export type Initramfs =
  /** Made for this machine and that kernel by `script`, a shell script that writes `file` and nothing outside `folder`. */
  | { readonly kind: 'own'; readonly folder: string; readonly file: string; readonly modules: readonly string[]; readonly script: string }
  /** The one that the distribution has made, for it can do what ours cannot. */
  | { readonly kind: 'installed'; readonly file: string; readonly why: string };

/** What was found out about the machine, or why it is beyond us: an initramfs that does not find its root is worse than a slow one. */
export type Understood<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string };

export const understood = <T>(value: T): Understood<T> => ({ ok: true, value });
export const beyond = (why: string): { readonly ok: false; readonly why: string } => ({ ok: false, why });
