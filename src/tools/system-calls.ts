/**
 * Which system calls of a task somebody else could notice, as filters of the kernel's tracing (Documentation/trace/
 * events.rst, "Event filtering"). A task that only waits, and is woken by nothing but the clock, a stop or CRIU, can be
 * put back to an earlier wait of its own: all that it did in between is in its own memory. Numbers: arch/x86/entry/
 * syscalls/syscall_64.tbl.
 */
const WAITS = { poll: 7, select: 23, restart_syscall: 219, epoll_wait: 232, pselect6: 270, ppoll: 271, epoll_pwait: 281, epoll_pwait2: 441 } as const;
/** They take something, if they succeed. */
const TAKES = { read: 0, readv: 19, accept: 43, recvfrom: 45, recvmsg: 47, wait4: 61, semop: 65, rt_sigtimedwait: 128, semtimedop: 220, waitid: 247, accept4: 288, recvmmsg: 299 } as const;
/** They end by time, by a signal whose handler is noticed when it returns, or by memory that the workload has for itself. */
const SLEEPS = { pause: 34, nanosleep: 35, rt_sigsuspend: 130, futex: 202, clock_nanosleep: 230 } as const;
/** Nothing was there, or the wait was broken off: EINTR, EAGAIN, and ERESTARTSYS and its kin, which no program sees (include/linux/errno.h). */
const TOOK_NOTHING = [-4, -11, -512, -513, -514, -516];

const any = (numbers: readonly number[]): string => `(${numbers.map((number) => `id == ${number.toString()}`).join(' || ')})`;
const none = (field: string, values: readonly number[]): string => values.map((value) => `${field} != ${value.toString()}`).join(' && ');

const quiet = [...Object.values(WAITS), ...Object.values(TAKES), ...Object.values(SLEEPS)].sort((a, b) => a - b);

/** Of raw_syscalls:sys_enter: calls that are noticed as soon as they begin. */
export const NOTICED_ENTRY = none('id', quiet);
/** Of raw_syscalls:sys_exit: waits that ended as something had happened, and calls that took it. */
export const NOTICED_EXIT = `${any(Object.values(TAKES))} && ${none('ret', TOOK_NOTHING)} || ${any(Object.values(WAITS))} && ret > 0`;
