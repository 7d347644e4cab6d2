import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findWatchdog, setWatchdog } from '../../../src/tools/watchdog.ts';

let folder: string;
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), 'segue-watchdog-')); });
afterEach(() => { rmSync(folder, { recursive: true }); });

function write(path: string, content: string): void {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), content);
}

/** As the lab's guest shows its own. */
function i6300esb(): void {
  write('class/watchdog/watchdog0/identity', 'i6300ESB timer\n');
  write('class/watchdog/watchdog0/max_timeout', '2046\n');
  write('class/watchdog/watchdog0/state', 'inactive\n');
  write('module/watchdog/parameters/stop_on_reboot', '-1\n');
  for (const name of ['i6300esb', 'pretimeout_noop']) mkdirSync(join(folder, 'module/watchdog/holders', name), { recursive: true });
}

test('what sysfs says of a watchdog', () => {
  i6300esb();
  expect(findWatchdog(folder)).toEqual({ identity: 'i6300ESB timer', drivers: ['i6300esb'], longest: 2046, active: false, goesOn: false });
  write('class/watchdog/watchdog0/state', 'active\n');
  write('module/watchdog/parameters/stop_on_reboot', '0\n');
  expect(findWatchdog(folder)).toMatchObject({ active: true, goesOn: true });
});

test('one in software would not outlive its kernel', () => {
  expect(findWatchdog(folder)).toBeUndefined();
  write('class/watchdog/watchdog0/identity', 'Software Watchdog\n');
  mkdirSync(join(folder, 'module/watchdog/holders/softdog'), { recursive: true });
  expect(findWatchdog(folder)).toBeUndefined();
});

test('a driver that says nothing of itself is not counted on', () => {
  mkdirSync(join(folder, 'class/watchdog/watchdog0'), { recursive: true });
  expect(findWatchdog(folder)).toMatchObject({ identity: 'watchdog0', drivers: [], longest: 0, active: false, goesOn: false });
});

test('systemd is told each time in turn, until it says no', () => {
  const said = join(folder, 'said');
  write('bin/busctl', `#!/bin/sh\necho "$*" >>${said}\n[ "$7" != 2 ]\n`);
  const [file = '', ...args] = setWatchdog('1', '2', '3');
  chmodSync(join(folder, 'bin/busctl'), 0o755);
  expect(() => execFileSync(file, args, { env: { PATH: `${folder}/bin:/usr/bin:/bin` }, stdio: 'ignore' })).toThrow();
  const property = 'set-property org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager RuntimeWatchdogUSec t';
  expect(readFileSync(said, 'utf8')).toBe(`${property} 1\n${property} 2\n`);
});
