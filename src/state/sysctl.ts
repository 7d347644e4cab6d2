import { ok } from '../failure/result.ts';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { StateKind } from './kind.ts';

/**
 * Sysctls that are not settings: counters, identities, triggers, and what Segue or the new kernel sets itself.
 * Paths below /proc/sys, see Documentation/admin-guide/sysctl.
 */
const NOT_CARRIED: readonly RegExp[] = [
  /^kernel\/(ns_last_pid|hostname|domainname|osrelease|ostype|version|bootid|random\/|tainted|cap_last_cap|ngroups_max|overflow.id$|auto_msgmni|kexec_load|modprobe|poweroff_cmd|usermodehelper|keys\/|seccomp\/actions_avail|sched_domain|core_pattern$|bootloader|pty\/nr|spl|printk_devkmsg|arch$|threads-max|max_rcu_stall|acpi_video|firmware_config)/,
  /^fs\/(dentry-state|file-nr|inode-nr|inode-state|aio-nr|quota|binfmt_misc|file-max|nr_open|epoll|inotify\/max_user_watches|mqueue|verity|xfs|nfs)/,
  /^vm\/(drop_caches|compact_memory|stat_refresh|min_free_kbytes|lowmem_reserve_ratio|user_reserve_kbytes|admin_reserve_kbytes)/,
  /^net\/(ipv[46]\/neigh\/[^/]+\/(base_reachable_time|retrans_time)$|netfilter\/nf_conntrack_(count|buckets)|ipv[46]\/route\/flush|ipv6\/conf\/[^/]+\/stable_secret|core\/netdev_rss_key|ipv4\/tcp_(available|allowed)_|ipv4\/(tcp|udp)_mem$|ipv4\/tcp_fastopen_key)/,
  /^(dev|debug|sunrpc|user)\//,
];

export function isCarried(key: string): boolean {
  return !NOT_CARRIED.some((pattern) => pattern.test(key));
}

/** `kernel/panic=0`: all settings below `root`, one a line; those of more than one line, or unreadable, are not. */
export function readSysctls(root = '/proc/sys'): string[] {
  const lines: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(`${root}/${folder}`, { withFileTypes: true })) {
      const key = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (!isCarried(entry.isDirectory() ? `${key}/` : key)) continue;
      if (entry.isDirectory()) walk(key);
      else {
        try {
          if ((statSync(`${root}/${key}`).mode & 0o600) !== 0o600) continue;
          const value = readFileSync(`${root}/${key}`, 'utf8').trimEnd();
          if (value !== '' && !value.includes('\n')) lines.push(`${key}=${value}`);
        } catch {
          // Some may be written only, some answer only under conditions: not a setting that could be put back.
        }
      }
    }
  };
  walk('');
  return lines.sort();
}

export const sysctl: StateKind = {
  name: 'sysctls',
  carry: ({ paths }) =>
    Promise.resolve(ok([{ phase: 'prepare', title: 'note the sysctls', action: { kind: 'write', path: `${paths.state}/sysctl`, content: `${readSysctls().join('\n')}\n` } }])),
};
