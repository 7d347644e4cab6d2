import type { Workload } from '../model/workload.ts';
import { logicalLines, sectionOf } from './restore-unit.ts';

/** What a unit says of itself in a section [X-Segue]; systemd ignores sections whose names begin with X- (systemd.unit(5)). */
export interface OwnSettings {
  /** `Priority=`, 0 to 100. */
  readonly priority?: number;
  /** `Snapshot=`: whether its tasks may be held for a moment before everything stops. */
  readonly snapshot: boolean;
  /** `Required=`: a kernel that cannot restore it is no kernel for this machine. */
  readonly required: boolean;
}

const KEY = /^(Priority|Snapshot|Required)\s*=\s*(\S*)\s*$/;

/** The last value of a key counts. A value that makes no sense is none. */
export function ownSettings({ unitFiles }: Pick<Workload, 'unitFiles'>): OwnSettings {
  let priority: number | undefined;
  const switches = { Snapshot: true, Required: false };
  for (const { content } of unitFiles) {
    let section = '';
    for (const line of logicalLines(content)) {
      section = sectionOf(line) ?? section;
      const [, key, value = ''] = (section === 'X-Segue' ? KEY.exec(line) : null) ?? [];
      if (key === 'Priority' && /^\d{1,3}$/.test(value)) priority = Math.min(100, Number(value));
      if ((key === 'Snapshot' || key === 'Required') && /^(1|yes|y|true|t|on|0|no|n|false|f|off)$/i.test(value)) switches[key] = /^(1|y|t|on)/i.test(value);
    }
  }
  return { snapshot: switches.Snapshot, required: switches.Required, ...(priority === undefined ? {} : { priority }) };
}
