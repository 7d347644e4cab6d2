import { readFileSync } from 'node:fs';
import { ok } from '../failure/result.ts';
import { ipsets, ruleset, saveRules } from '../tools/nft.ts';
import { activeUnits } from '../tools/systemctl.ts';
import type { StateKind } from './kind.ts';

/** Services that load rules at a boot and end. */
const LOADERS = /^(nftables|netfilter-persistent|ufw)\.service$/;
/** Kernel modules of which rules are made: systemd is not there to load them when the rules are put back. */
const MODULES = /^(nf|nft|xt|ipt|ip6t|ip_set|ebt|ebtable|iptable|ip6table|ip_tables|ip6_tables|x_tables|nfnetlink)(_|$)/;

function loadedModules(): string {
  try {
    return readFileSync('/proc/modules', 'utf8');
  } catch {
    return ''; // a kernel that has everything built in
  }
}

/**
 * The rules of the firewall as they are, also those that were set at runtime: put back before the network is up. What
 * loads rules at a boot does not load its own over them.
 */
export const firewall: StateKind = {
  name: 'firewall',
  async carry({ paths }) {
    const note = (title: string, path: string, content: string) => ({ phase: 'prepare' as const, title, action: { kind: 'write' as const, path, content } });
    const [rules, sets, active] = await Promise.all([ruleset(), ipsets(), activeUnits(['service'])]);
    if (!sets.ok) return sets;
    if (!rules.ok) return rules;
    if (!active.ok) return active;
    const { nftables, compatible } = rules.value;
    const saved = await Promise.all(compatible.map(async (program) => ({ program, rules: await saveRules(program) })));
    const unsaved = saved.find((each) => !each.rules.ok)?.rules;
    if (unsaved?.ok === false) return unsaved;
    const loaders = active.value.filter((unit) => LOADERS.test(unit));
    const modules = loadedModules().split('\n').flatMap((line) => line.split(' ')[0] ?? '').filter((name) => MODULES.test(name));
    return ok([
      note('note the modules of the firewall', `${paths.state}/firewall-modules`, modules.map((name) => `${name}\n`).join('')),
      note('note the rules of the firewall', `${paths.state}/firewall.nft`, nftables),
      ...saved.flatMap(({ program, rules }) => (rules.ok ? [note(`note the rules of ${program}`, `${paths.state}/firewall.${program}`, rules.value)] : [])),
      ...(sets.value === '' ? [] : [note('note the sets of the firewall', `${paths.state}/firewall.ipset`, sets.value)]),
      note('note who loads rules at a boot', `${paths.state}/firewall-loaders`, loaders.map((unit) => `${unit}\n`).join('')),
      ...loaders.flatMap((unit) => ([{ unit, ...note('let it load no rules over those that are put back', `${paths.units}/${unit}.d/zz-segue.conf`, '# Written by segue for one boot: the rules came along.\n[Service]\nExecStart=\nExecStart=/bin/true\n') }])),
    ]);
  },
};
