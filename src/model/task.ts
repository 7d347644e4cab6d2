/** An open file of a task, as /proc/PID/fd and /proc/PID/fdinfo tell (proc_pid_fd(5), proc_pid_fdinfo(5)). */
export interface OpenFile {
  readonly fd: number;
  /** What the link says: a path, `socket:[N]`, `pipe:[N]`, `anon_inode:…`. */
  readonly target: string;
  readonly mountId: number;
  readonly inode: number;
  readonly kind: 'file' | 'character-device' | 'block-device' | 'other';
  /** Device number of a device file, else 0. */
  readonly major: number;
  readonly minor: number;
}

export interface Mount {
  readonly id: number;
  /** `major:minor` of the filesystem. */
  readonly device: string;
  readonly root: string;
  readonly path: string;
  readonly type: string;
}

/** A process, as the survey saw it. */
export interface Task {
  readonly pid: number;
  readonly parent: number;
  readonly comm: string;
  /** Its cgroup v2 path. */
  readonly controlGroup: string;
  /** Process group and session: CRIU needs these ids free, too. */
  readonly processGroup: number;
  readonly session: number;
  readonly threads: readonly number[];
  readonly tracer: number;
  /** Clock ticks after boot (proc_pid_stat(5), field 22): with the pid it names one process and no other. */
  readonly startTime: number;
  readonly root: string;
  readonly namespaces: Readonly<Record<NamespaceName, string>>;
  readonly files: readonly OpenFile[];
  readonly mounts: readonly Mount[];
  /** Its working directory, its program and whatever else it maps of files. */
  readonly paths: readonly string[];
  /** SysV shared memory segments that it maps. */
  readonly sysvSegments: readonly number[];
  /** Its first mapping with code is shared: CRIU begins there to inject its own, and cannot write to it. */
  readonly firstCodeShared: boolean;
  /** Resident and swapped memory, bytes. */
  readonly memory: number;
  /** Its AppArmor profile as the kernel names it, '' for none (apparmor(7)); and whether that forbids, or only complains. */
  readonly profile: string;
  readonly confined: boolean;
}

export const namespaceNames = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'user', 'uts'] as const;
export type NamespaceName = (typeof namespaceNames)[number];
