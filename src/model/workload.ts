import type { RenamedSocket } from '../tools/criu-images.ts';
import type { InetSocket } from '../tools/proc-net.ts';
import type { Properties } from '../tools/systemctl.ts';
import type { Obstacle } from '../failure/obstacle.ts';
import type { Mount, NamespaceName, Task } from './task.ts';

/** A tree of processes whose root has its parent outside the workload: CRIU images one such tree at a time. */
export interface Tree {
  readonly root: Task;
  readonly tasks: readonly Task[];
}

/** How CRIU names a file that it is not to open itself: `mount id:inode`, hexadecimal. */
export type FileKey = string;

/** A file that systemd reads for a unit: its fragment, or a drop-in. */
export interface UnitFile {
  readonly path: string;
  readonly content: string;
}

export interface PressureFile {
  readonly key: FileKey;
  readonly path: string;
}

/** What is carried as one: a systemd service. */
export interface Workload {
  readonly unit: string;
  readonly description: string;
  readonly properties: Properties;
  /** Its fragment, then its drop-ins, in the order in which they count. */
  readonly unitFiles: readonly UnitFile[];
  readonly trees: readonly Tree[];
  readonly mainPid: number;
  readonly controlGroup: string;
  /** Namespaces of the unit's sandbox that CRIU enters, so that they are the same for it and the tasks. */
  readonly entered: readonly NamespaceName[];
  /** The tasks use SysV IPC of the host: the image takes a namespace of their own. */
  readonly detachIpc: boolean;
  /** The tasks run under PrivateUsers=: the image is edited to leave the user namespace out. */
  readonly privateUsers: boolean;
  /** Inodes of the streams to the journal: given back as the unit's new stream. */
  readonly logStreams: readonly number[];
  /** Files of mounts that the sandbox does not have, all of them /dev/null. */
  readonly outsideFiles: readonly FileKey[];
  /** Files through which it watches for memory pressure and the like: an empty file takes their place. */
  readonly pressureFiles: readonly PressureFile[];
  /** Sockets that CRIU would restore under a name that nobody knows: the image is edited. */
  readonly renamedSockets: readonly RenamedSocket[];
  /** Mounts whose content is this workload's alone and would be lost: PrivateTmp= and the like. */
  readonly privateMounts: readonly Mount[];
  /** It uses files of a server: others may change them unseen, so no image of it could be proven current. */
  readonly served: boolean;
  /** Its sockets in the machine's own network namespace: to be locked. */
  readonly sockets: readonly InetSocket[];
  /** Bytes. */
  readonly memory: number;
  readonly obstacles: readonly Obstacle[];
}

export interface Afresh {
  readonly unit: string;
  readonly description: string;
  readonly why: string;
}
