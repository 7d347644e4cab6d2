/** Why a workload cannot be carried. Found before anything is touched. */
export type Obstacle =
  | { readonly kind: 'io_uring'; readonly pid: number }
  | { readonly kind: 'file'; readonly pid: number; readonly fd: number; readonly target: string }
  | { readonly kind: 'device'; readonly pid: number; readonly path: string }
  | { readonly kind: 'terminal'; readonly pid: number; readonly path: string }
  | { readonly kind: 'unix-peer'; readonly pid: number; readonly peer: string }
  | { readonly kind: 'pipe-peer'; readonly pid: number; readonly peer: string }
  | { readonly kind: 'socket-kind'; readonly pid: number; readonly inode: number }
  | { readonly kind: 'socket-activated'; readonly socket: string }
  | { readonly kind: 'sysv-shared'; readonly what: string; readonly peer: string }
  | { readonly kind: 'namespace'; readonly namespace: string }
  | { readonly kind: 'user-namespace' }
  | { readonly kind: 'root-directory'; readonly path: string }
  | { readonly kind: 'mount'; readonly pid: number; readonly path: string; readonly type: string }
  | { readonly kind: 'silent-server'; readonly pid: number; readonly path: string; readonly type: string }
  | { readonly kind: 'sub-cgroups'; readonly path: string }
  | { readonly kind: 'low-pid'; readonly pid: number; readonly reserved: number }
  | { readonly kind: 'traced'; readonly pid: number; readonly tracer: number }
  | { readonly kind: 'shared-code'; readonly pid: number; readonly comm: string }
  | { readonly kind: 'descriptor-store'; readonly count: number }
  | { readonly kind: 'under-way'; readonly how: string }
  | { readonly kind: 'confinement'; readonly pid: number; readonly profile: string }
  | { readonly kind: 'kernel-state'; readonly pid: number; readonly what: string }
  | { readonly kind: 'sandbox-hides-criu'; readonly error: string }
  | { readonly kind: 'ended'; readonly pid: number }
  | { readonly kind: 'runs-segue' }
  | { readonly kind: 'user-manager' }
  | { readonly kind: 'container' }
  | { readonly kind: 'scope' }
  | { readonly kind: 'virtual-machine' };

/** What `segue setup` can do about an obstacle, and whether the service must be restarted once afterwards. */
export type Remedy = 'io_uring' | 'pid-reservation';

export interface ObstacleWords {
  readonly why: string;
  readonly remedy: string;
  /** The remedy that `segue setup` applies. */
  readonly setup?: Remedy;
}

export function describe(obstacle: Obstacle): ObstacleWords {
  switch (obstacle.kind) {
    case 'io_uring':
      return { why: `process ${obstacle.pid.toString()} uses io_uring, which CRIU cannot image`, remedy: 'segue setup (sets kernel.io_uring_disabled=2), then restart the service once', setup: 'io_uring' };
    case 'file':
      return { why: `process ${obstacle.pid.toString()} holds ${obstacle.target} (descriptor ${obstacle.fd.toString()}), which CRIU cannot image`, remedy: 'start it afresh: --afresh' };
    case 'device':
      return { why: `process ${obstacle.pid.toString()} holds the device ${obstacle.path}`, remedy: 'start it afresh: --afresh' };
    case 'terminal':
      return { why: `process ${obstacle.pid.toString()} holds the terminal ${obstacle.path}`, remedy: 'start it afresh: --afresh' };
    case 'unix-peer':
      return { why: `process ${obstacle.pid.toString()} is connected over a unix socket to ${obstacle.peer}, which is not carried with it`, remedy: 'start it afresh: --afresh' };
    case 'pipe-peer':
      return { why: `process ${obstacle.pid.toString()} shares a pipe with ${obstacle.peer}, which is not carried with it`, remedy: 'start it afresh: --afresh' };
    case 'socket-kind':
      return { why: `process ${obstacle.pid.toString()} has a socket of a kind that CRIU cannot image (inode ${obstacle.inode.toString()}): MPTCP, vsock, SCTP, …`, remedy: 'turn that socket kind off in the program, or start it afresh: --afresh' };
    case 'socket-activated':
      return { why: `its listening socket belongs to ${obstacle.socket}`, remedy: 'start it afresh: --afresh' };
    case 'sysv-shared':
      return { why: `its ${obstacle.what} is shared with ${obstacle.peer}`, remedy: 'give each service its own with PrivateIPC=yes, or start it afresh: --afresh' };
    case 'namespace':
      return { why: `it runs in a ${obstacle.namespace} namespace of its own`, remedy: 'start it afresh: --afresh' };
    case 'user-namespace':
      return { why: 'it runs in a user namespace that maps ids to other ids', remedy: 'start it afresh: --afresh' };
    case 'root-directory':
      return { why: `its root is ${obstacle.path}`, remedy: 'start it afresh: --afresh' };
    case 'mount':
      return { why: `process ${obstacle.pid.toString()} uses ${obstacle.path} (${obstacle.type}), which no unit of systemd mounts: it would not be there when it is restored`, remedy: 'mount it by a line in /etc/fstab or a mount unit (systemd.mount), or start it afresh: --afresh' };
    case 'silent-server':
      return { why: `process ${obstacle.pid.toString()} uses ${obstacle.path} (${obstacle.type}), whose server does not answer`, remedy: 'see that the server answers, then try again' };
    case 'sub-cgroups':
      return { why: `it manages cgroups of its own (${obstacle.path})`, remedy: 'start it afresh: --afresh' };
    case 'low-pid':
      return { why: `the new kernel may need the process id ${obstacle.pid.toString()} for itself (below ${obstacle.reserved.toString()})`, remedy: 'segue setup (reserves the low process ids), then restart the service once', setup: 'pid-reservation' };
    case 'traced':
      return { why: `process ${obstacle.pid.toString()} is being traced by process ${obstacle.tracer.toString()}`, remedy: 'end the debugger' };
    case 'shared-code':
      return {
        why: `process ${obstacle.pid.toString()} has its code in shared memory, where CRIU cannot write`,
        remedy: obstacle.comm.startsWith('php') ? "turn the buffer of PHP's JIT off (opcache.jit_buffer_size=0 in its conf.d) and restart the service once" : 'start it afresh: --afresh',
      };
    case 'descriptor-store':
      return { why: `systemd holds ${obstacle.count.toString()} file descriptors for it (FileDescriptorStoreMax=)`, remedy: 'start it afresh: --afresh' };
    case 'under-way':
      return { why: `it ${obstacle.how}`, remedy: 'wait until that is over, then try again; or start it afresh: --afresh' };
    case 'confinement':
      return { why: `process ${obstacle.pid.toString()} is confined by ${obstacle.profile} of AppArmor, which cannot be loaded again beforehand`, remedy: 'start it afresh: --afresh' };
    case 'kernel-state':
      return { why: `the kernel holds ${obstacle.what} for process ${obstacle.pid.toString()}, which would be gone without its knowing`, remedy: 'start it afresh: --afresh' };
    case 'sandbox-hides-criu':
      return { why: `CRIU does not run in its sandbox: ${obstacle.error}`, remedy: 'let the sandbox see /usr/lib (ExecPaths=, InaccessiblePaths=), or start it afresh: --afresh' };
    case 'ended':
      return { why: `its process ${obstacle.pid.toString()} ended while it was looked at`, remedy: 'if it starts again and again, find out why (systemctl status) or stop it; otherwise try again' };
    case 'runs-segue':
      return { why: 'it has started segue, and what waits for segue cannot be imaged by it', remedy: 'start segue from elsewhere (systemd-run segue …), or start it afresh: --afresh' };
    case 'user-manager':
      return { why: 'units of a user manager are not carried yet', remedy: 'make it a system unit with User=, or let it end: --afresh' };
    case 'container':
      return { why: 'containers are not carried yet', remedy: 'start it afresh: --afresh' };
    case 'scope':
      return { why: 'it is a scope: systemd adopted its processes and cannot start it again', remedy: 'run it as a service (systemd-run without --scope), or let it end: --afresh' };
    case 'virtual-machine':
      return { why: 'CRIU cannot image virtual machines', remedy: 'migrate it away, or start it afresh: --afresh' };
  }
}
