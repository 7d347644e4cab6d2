import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { handoverPaths } from '../../../src/model/handover.ts';
import type { Action } from '../../../src/model/step.ts';
import { complaining } from '../../../src/state/apparmor.ts';
import { run } from '../../../src/tools/command.ts';
import { task, workload } from '../survey/builders.ts';

const paths = handoverPaths('/var/lib/segue', '20260102-030405');
const confined = (unit: string, profile: string, forbids: boolean) => {
  const root = task(4000, { profile, confined: forbids });
  return workload(unit, { trees: [{ root, tasks: [root] }] });
};
const dns = confined('named.service', 'named', true);
const all = [workload('free.service'), confined('web.service', 'web', false), dns];
const argvOf = (action: Action | undefined): readonly string[] => (action?.kind === 'run' ? action.argv : []);

test('profiles that forbid only complain while everything stops, and do again what they did if that is given up', () => {
  expect(complaining([workload('free.service'), confined('web.service', 'web', false)], paths)).toEqual([]);
  const [step, ...more] = complaining(all, paths);
  expect(more).toEqual([]);
  expect(step).toMatchObject({ phase: 'park', title: 'have AppArmor let CRIU image who is confined by named' });
  for (const action of [step?.action, step?.undo]) expect(argvOf(action).filter((word) => word.includes('/apparmor/') && !word.includes(' '))).toContain(`${paths.state}/apparmor/1`);
});

/** As apparmor_parser(8) writes it: a name and a number, 32 bits. */
const version = (number: number): Buffer => Buffer.concat([Buffer.from('\x04\x08\x00version\x00\x02', 'latin1'), Buffer.from(Uint32Array.of(number).buffer)]);

test('of a profile the version that it begins with is changed, and no version of a table in it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'segue-apparmor-'));
  const [profile, target] = [join(folder, 'profile'), join(folder, 'replace')];
  const table = Buffer.concat([Buffer.from('perms'), version(1), Buffer.from([0x0a, 0xff, 0x04])]);
  const argv = [...argvOf(complaining(all, paths)[0]?.action).slice(0, 3), target];
  writeFileSync(profile, Buffer.concat([version(0x202007), table, version(0x202009), table]));
  expect(await run([...argv, profile])).toMatchObject({ exitCode: 0 });
  expect(readFileSync(target)).toEqual(Buffer.concat([version(0x202807), table, version(0x202809), table]));

  writeFileSync(profile, 'something else');
  expect((await run([...argv, profile])).stderr).toBe(`${profile} is no profile of AppArmor\n`);
  rmSync(folder, { recursive: true });
});
