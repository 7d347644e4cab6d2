import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Guest } from '../../../lab/lab.js';
import { attempt } from '../../../lab/inside/attempt.js';
import { isRoot } from '../boot/private-machine.ts';

/** Takes three steps, each in its journal before it says so. An earlier upgrade has taken the same. */
const SEGUE = `#!/bin/bash
[ "$1" = upgrade ] || exit 0
journal=/var/lib/segue/upgrades/2/journal.ndjson
mkdir -p "\${journal%/*}"
step() {
  echo '{"at":"2026-01-01T00:00:00.000Z","event":"step","phase":"park","step":"'"$1"'"'"\${2:+,\\"unit\\":\\"$2\\"}"'}' >>"$journal"
  echo "  1.0 s    \${2:+$2: }$1"
  sleep 0.5
}
step 'lock the sockets'
step 'image a (1) and leave it stopped' a.service
step 'seal the hand-over'
echo '{"at":"2026-01-01T00:00:00.000Z","event":"giving-up","why":"why","step":"seal the hand-over"}' >>"$journal"
exit 3
`;
const EARLIER = 'mkdir -p /var/lib/segue/upgrades/1 && echo \'{"event":"step","phase":"park","step":"image a (1) and leave it stopped","unit":"a.service"}\' >/var/lib/segue/upgrades/1/journal.ndjson';

describe.runIf(isRoot)('an attempt', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'segue-attempt-'));
    writeFileSync(join(folder, 'segue'), SEGUE);
    chmodSync(join(folder, 'segue'), 0o755);
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** A command of this machine, with a store of its own. */
  const guest: Pick<Guest, 'exec'> = {
    async exec(command) {
      const enter = `mount -t tmpfs tmpfs /var/lib && ${EARLIER} && sleep 0.1 && exec "$@"`;
      const child = spawn('unshare', ['--mount', 'sh', '-c', enter, 'sh', ...(typeof command === 'string' ? ['sh', '-c', command] : command)], { env: { PATH: `${folder}:/usr/sbin:/usr/bin:/sbin:/bin`, LC_ALL: 'C.UTF-8' }, stdio: ['ignore', 'pipe', 'pipe'] });
      const ended = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? 255)));
      const [stdout, stderr, exitCode] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
      return { stdout, stderr, exitCode };
    },
  };

  test('strikes when a step is in the journal of this upgrade', async () => {
    const { exitCode, stdout } = await attempt(guest, { title: 'image a (1) and leave it stopped', unit: 'a.service' }, 'kill -KILL "$segue"; echo struck');
    expect(exitCode).toBe(137);
    expect(stdout.split('\n').slice(0, 3)).toEqual(['lock the sockets', 'a.service: image a (1) and leave it stopped', 'struck']);
    expect(stdout).not.toContain('seal');
  });

  test('tells the same step of another service from it', async () => {
    const { exitCode, stdout } = await attempt(guest, { title: 'image a (1) and leave it stopped', unit: 'b.service' }, 'kill -KILL "$segue"; echo struck');
    expect(exitCode).toBe(3);
    expect(stdout).not.toContain('struck');
  });

  test('gives all steps, then what was said, when its moment does not come', async () => {
    const { stdout } = await attempt(guest, { title: 'no such step' }, 'echo struck');
    expect(stdout.trimEnd().split('\n').map((line) => line.trim())).toEqual([
      'lock the sockets', 'a.service: image a (1) and leave it stopped', 'seal the hand-over',
      '1.0 s    lock the sockets', '1.0 s    a.service: image a (1) and leave it stopped', '1.0 s    seal the hand-over',
    ]);
  });

  test('strikes when a line is said that has these words', async () => {
    const { exitCode, stdout } = await attempt(guest, 'lock the sockets', 'kill -KILL "$segue"; echo struck');
    expect(exitCode).toBe(137);
    expect(stdout.trimEnd().split('\n').map((line) => line.trim())).toEqual(['1.0 s    lock the sockets', 'struck']);
  });
});
