import { ok } from '../failure/result.ts';
import { platformReason } from '../model/platform.ts';
import { activeUnits, enabledServices, show } from '../tools/systemctl.ts';
import type { StateKind } from './kind.ts';

/**
 * Services that a boot would start and that do not run now: stopped by the administrator, or failed. They stay as they
 * are; one of them might take the port of a carried workload. What runs once at each boot (Type=oneshot) runs again.
 */
export const inactiveUnits: StateKind = {
  name: 'services that do not run',
  async carry({ paths }) {
    const [enabled, active] = await Promise.all([enabledServices(), activeUnits(['service'])]);
    if (!enabled.ok) return enabled;
    if (!active.ok) return active;
    const inactive = enabled.value.filter((unit) => !active.value.includes(unit) && !unit.includes('@.'));
    const shown = await show(inactive);
    if (!shown.ok) return shown;
    return ok(shown.value.flatMap((properties) => {
      const unit = properties['Id'] ?? '';
      if (active.value.includes(unit) || properties['Type'] === 'oneshot' || platformReason(unit, properties) !== undefined) return [];
      return [{ phase: 'prepare' as const, unit, title: 'leave it stopped', action: { kind: 'write' as const, path: `${paths.units}/${unit}.d/zz-segue.conf`, content: '# Written by segue for one boot: it did not run before.\n[Unit]\nConditionPathExists=!/run/segue\n' } }];
    }));
  },
};
