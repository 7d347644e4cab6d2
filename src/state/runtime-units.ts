import { readFileSync } from 'node:fs';
import { show } from '../tools/systemctl.ts';
import type { Step } from '../model/step.ts';
import type { StateKind } from './kind.ts';

/**
 * Unit files and drop-ins of carried workloads that exist in /run only (systemd-run, `systemctl edit --runtime`,
 * `systemctl set-property --runtime`). The generator gives them to the new systemd, `segue settle` lays them back.
 */
export const runtimeUnits: StateKind = {
  name: 'runtime units',
  async carry({ paths, carried }) {
    const shown = await show(carried.map(({ unit }) => unit), ['FragmentPath', 'DropInPaths']);
    const files = (shown.ok ? shown.value : []).flatMap((unit) => [unit['FragmentPath'] ?? '', ...(unit['DropInPaths'] ?? '').split(' ')]);
    const steps: Step[] = [];
    for (const file of files) {
      const match = /^\/run\/systemd\/(?:transient|system|system\.control)\/([^/]+(?:\/[^/]+)?)$/.exec(file);
      if (match === null) continue;
      const content = readFileSync(file, 'utf8');
      for (const folder of [paths.units, `${paths.handover}/runtime-units`]) {
        steps.push({ phase: 'prepare', title: `keep ${file}`, action: { kind: 'write', path: `${folder}/${match[1] ?? ''}`, content } });
      }
    }
    return steps;
  },
};
