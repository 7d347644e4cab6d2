import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { chooseKernel, installedKernels, missingOptions } from '../../../src/survey/kernels.ts';
import { lockdownMode } from '../../../src/survey/machine.ts';
import { compareVersions } from '../../../src/tools/version.ts';
import { fixture } from '../../fixtures/fixture.ts';

const OLD = '6.12.117+deb13-cloud-amd64';
const NEW = '7.3.4+deb13-cloud-amd64';
const config = fixture(`kernel/config-${NEW}`);

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'segue-root-'));
  mkdirSync(join(root, 'boot'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

function install(release: string, { initrd = true, modules = true, options = config } = {}): void {
  writeFileSync(join(root, `boot/vmlinuz-${release}`), '');
  if (initrd) writeFileSync(join(root, `boot/initrd.img-${release}`), '');
  if (modules) mkdirSync(join(root, 'lib/modules', release), { recursive: true });
  writeFileSync(join(root, `boot/config-${release}`), options);
}

const chosen = async (asked: string): Promise<string> => {
  const result = await chooseKernel(asked, root);
  return result.ok ? result.value.release : result.failure.reason;
};

test('the kernels of Debian 13 have all that a restore needs', () => {
  expect(missingOptions(fixture(`kernel/config-${OLD}`))).toEqual([]);
  expect(missingOptions(config)).toEqual([]);
});

test.each(['CHECKPOINT_RESTORE', 'NAMESPACES', 'TIME_NS', 'UNIX_DIAG', 'INET_DIAG', 'NF_TABLES', 'KEXEC_CORE'])(
  'a kernel without %s is named for it',
  (option) => {
    const without = config.replace(new RegExp(`^CONFIG_${option}=.*$`, 'm'), `# CONFIG_${option} is not set`);
    expect(missingOptions(without)).toEqual([`CONFIG_${option}`]);
  },
);

test('newest is the kernel with the highest numbers', async () => {
  for (const release of ['6.9.12-amd64', NEW, OLD, '6.12.9+deb13-amd64']) install(release);

  expect(await chosen('newest')).toBe(NEW);
  expect(await installedKernels(join(root, 'boot'))).toEqual(['6.9.12-amd64', '6.12.9+deb13-amd64', OLD, NEW]);
});

test('the beginning of a release names the newest of those, and 6.1 does not begin 6.12', async () => {
  for (const release of ['6.1.100-amd64', '6.12.9+deb13-amd64', OLD, NEW]) install(release);

  expect(await chosen('6')).toBe(OLD);
  expect(await chosen('6.12')).toBe(OLD);
  expect(await chosen('6.12.9')).toBe('6.12.9+deb13-amd64');
  expect(await chosen('6.1')).toBe('6.1.100-amd64');
  expect(await chosen(OLD)).toBe(OLD);
});

test('a kernel comes with the paths of its image and initrd', async () => {
  install(NEW);
  expect(await chooseKernel('newest', root)).toEqual({
    ok: true,
    value: { release: NEW, image: `${root}/boot/vmlinuz-${NEW}`, initrd: `${root}/boot/initrd.img-${NEW}` },
  });
});

test('a kernel that is not installed is unknown, and those that are, are named', async () => {
  install(NEW);
  expect(await chooseKernel('5.10', root)).toEqual({ ok: false, failure: { reason: 'kernel-unknown', asked: '5.10', installed: [NEW] } });
});

test('without a boot folder no kernel is installed', async () => {
  expect(await chooseKernel('newest', join(root, 'nothing'))).toMatchObject({ failure: { reason: 'kernel-unknown', installed: [] } });
});

test('a kernel without initrd or modules is incomplete', async () => {
  install(NEW, { initrd: false });
  expect(await chooseKernel('newest', root)).toMatchObject({ failure: { reason: 'kernel-incomplete', missing: `${root}/boot/initrd.img-${NEW}` } });
  install(OLD, { modules: false });
  expect(await chooseKernel(OLD, root)).toMatchObject({ failure: { reason: 'kernel-incomplete', missing: `${root}/lib/modules/${OLD}` } });
});

test('a kernel that cannot restore is refused, one without a configuration in /boot is trusted', async () => {
  install(NEW, { options: 'CONFIG_KEXEC_CORE=y\n' });
  expect(await chooseKernel('newest', root)).toMatchObject({ failure: { reason: 'kernel-lacks', kernel: NEW } });
  rmSync(join(root, `boot/config-${NEW}`));
  expect(await chosen('newest')).toBe(NEW);
});

test('versions are ordered by their numbers', () => {
  const ordered = ['3.19', '4.0', '4.2', '4.2.1', '5.10.0-9-amd64', '5.10.0-30-amd64', '6.9', '6.12', '6.12.9', '6.12.117', '7.0'];
  const shuffled = fc.shuffledSubarray(ordered, { minLength: ordered.length });
  fc.assert(
    fc.property(shuffled, (versions) => {
      expect(versions.toSorted(compareVersions)).toEqual(ordered);
    }),
  );
});

test('the mode of lockdown is the one in brackets', () => {
  expect(lockdownMode(fixture('kernel/lockdown.txt'))).toBe('none');
  expect(lockdownMode('none [integrity] confidentiality\n')).toBe('integrity');
  expect(lockdownMode('none integrity [confidentiality]\n')).toBe('confidentiality');
  expect(lockdownMode('')).toBe('none');
});
