import { buildCommand } from '@stricli/core';
import { requireRoot } from '../survey/machine.ts';
import { undoOrphan } from '../upgrade/orphan.ts';
import { unwrap } from './output.ts';
import { heedNoSignal } from './signals.ts';

async function run(_flags: object, id: string): Promise<void> {
  const root = requireRoot();
  heedNoSignal();
  unwrap(root.ok ? await undoOrphan(id) : root);
}

/** Run by systemd, not by people. */
export const undoCommand = buildCommand({
  func: run,
  parameters: { positional: { kind: 'tuple', parameters: [{ brief: 'Id of the upgrade', parse: String, placeholder: 'ID' }] } },
  docs: { brief: 'Undo an upgrade whose process and guard were killed (run by systemd)' },
});
