import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checksums } from '../../../src/tools/xxhsum.ts';
import { sumBeforehand, sumTheRest, sumWorkload } from '../../../src/park/sums.ts';
import { run } from '../../../src/tools/command.ts';

const installed = (await run(['xxhsum', '--version'])).exitCode === 0;

let handover: string;
beforeEach(() => { handover = mkdtempSync(join(tmpdir(), 'segue-sums-')); });
afterEach(() => { rmSync(handover, { recursive: true }); });

function write(file: string, content: string): void {
  mkdirSync(dirname(join(handover, file)), { recursive: true });
  writeFileSync(join(handover, file), content);
}
const listed = (list: string): string[] => readFileSync(join(handover, list), 'utf8').split('\n').filter(Boolean).map((line) => line.replace(/^\S+ {2}/, '')).sort();
const check = async (list: string): Promise<number> => (await run(['sh', '-c', 'cd "$0" && xxhsum --check --quiet --strict "$1"', handover, list])).exitCode;

test.runIf(installed)('what was summed beforehand and what has come since is all in the lists, as it is now', async () => {
  write('format', 'segue-handover 1\n');
  write('units/a.service', '[Service]\n');
  write('workloads/asleep.service/manifest', 'of its images');
  write('workloads/busy.service/manifest', 'of its snapshots');
  expect((await sumBeforehand(handover)).ok).toBe(true);
  expect(listed('manifest')).toEqual(['format', 'units/a.service']);

  write('lock.nft', 'table inet CRIU-1 {}\n');
  write('state/tmp.tar', 'files');
  write('workloads/busy.service/manifest', 'of its images, and snapshots');
  write('workloads/late.service/manifest', 'of its images');
  const units = ['asleep.service', 'busy.service', 'late.service'];
  expect((await sumTheRest(handover, units)).ok).toBe(true);
  expect(listed('manifest')).toEqual(['format', 'lock.nft', 'manifests', 'state/tmp.tar', 'units/a.service']);
  expect(listed('manifests')).toEqual(units.map((unit) => `workloads/${unit}/manifest`));
  expect([await check('manifest'), await check('manifests')]).toEqual([0, 0]);
});

test.runIf(installed)('in the list of a workload is what of its snapshots was summed when they were taken, and what was not', async () => {
  const workload = 'workloads/busy.service';
  const snapshots = `${workload}/trees/7/snapshots`;
  write(`${snapshots}/1/pages-1.img`, 'pages');
  const early = await checksums(handover, [`${snapshots}/1/pages-1.img`]);
  write(`${snapshots}/manifest`, early.ok ? `${early.value[0]?.line ?? ''}\n` : '');
  write(`${snapshots}/1/pages-1.img`, 'pages that are damaged');
  write(`${snapshots}/2/pages-1.img`, 'pages that were written to since');
  write(`${workload}/trees/7/images/core-7.img`, 'a task');
  write(`${workload}/imprint.json`, '{}');
  expect((await sumWorkload(handover, workload)).ok).toBe(true);
  expect(listed(`${workload}/manifest`)).toEqual([`${workload}/trees/7/images/core-7.img`, `${snapshots}/1/pages-1.img`, `${snapshots}/2/pages-1.img`]);
  // It is what it was when it was summed that counts.
  expect(await check(`${workload}/manifest`)).not.toBe(0);
  write(`${snapshots}/1/pages-1.img`, 'pages');
  expect(await check(`${workload}/manifest`)).toBe(0);
});

test.runIf(installed)('what was changed after it was summed beforehand is found by its checksum', async () => {
  write('units/a.service', '[Service]\n');
  await sumBeforehand(handover);
  write('units/a.service', '[Service]\nUser=root\n');
  await sumTheRest(handover, []);
  expect(await check('manifest')).not.toBe(0);
});

test.runIf(installed)('a file that is gone is in no list', async () => {
  write('state/a', 'a');
  write('workloads/gone.service/manifest', 'of its images');
  await sumBeforehand(handover);
  rmSync(join(handover, 'state/a'));
  await sumTheRest(handover, []);
  expect([listed('manifest'), listed('manifests')]).toEqual([['manifests'], []]);
});
