import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { silentServers } from '../../../src/survey/servers.ts';
import { mount, openFile, task } from './builders.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'segue-servers-'));
  vi.stubEnv('PATH', `${folder}:${process.env['PATH'] ?? ''}`);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** Stands in for stat(1), with the path that it is asked for as its last argument. */
function stat(script: string): void {
  writeFileSync(join(folder, 'stat'), `#!/bin/sh\nfor path; do :; done\n${script}\n`);
  chmodSync(join(folder, 'stat'), 0o755);
}

const home = mount('/home', { id: 30, device: '0:50', type: 'nfs4' });
const share = mount('/srv/share', { id: 31, device: '0:51', type: 'cifs' });
const disk = mount('/srv/disk', { id: 32, device: '8:2', type: 'ext4' });
const mounts = [home, share, disk];
const users = [
  task(4000, { mounts, files: [openFile({ target: '/home/a/log', mountId: 30 }), openFile({ target: '/srv/disk/log', mountId: 32 })] }),
  task(4001, { mounts, paths: ['/srv/share'] }),
];

test('a server that does not answer in time is silent; one that has, whatever it says, is not', async () => {
  stat('case $path in */home) exec sleep 60 ;; *) exit 1 ;; esac');
  expect(await silentServers(users, 0.5)).toEqual(new Set(['0:50']));
});

test('nobody is asked for what is on a disk, or is used by nobody', async () => {
  stat('exec sleep 60');
  expect(await silentServers([task(4000, { mounts, files: [openFile({ target: '/srv/disk/log', mountId: 32 })] })], 0.5)).toEqual(new Set());
});
