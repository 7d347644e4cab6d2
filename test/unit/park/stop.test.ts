import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, onTestFinished, test, vi } from 'vitest';
import { stopUnits } from '../../../src/park/stop.ts';

const CANCELED = 'Job for avahi-daemon.socket canceled.';

/** A systemctl whose first stops are canceled, as somebody has the unit started again. Gives how often it was asked to stop. */
function systemctl({ canceled }: { readonly canceled: number }): () => number {
  const folder = mkdtempSync(`${tmpdir()}/segue-systemctl-`);
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
    vi.unstubAllEnvs();
  });
  writeFileSync(`${folder}/stops`, '');
  writeFileSync(`${folder}/systemctl`, `#!/bin/sh
count=$(wc -l <${folder}/stops)
case $1 in
stop)
	echo "$*" >>${folder}/stops
	[ "$count" -ge ${canceled.toString()} ] || { echo '${CANCELED}' >&2; exit 1; }
	;;
show)
	[ "$count" -gt ${canceled.toString()} ] && state=inactive || state=active
	printf 'Id=avahi-daemon.service\\nActiveState=%s\\n\\nId=cups.service\\nActiveState=failed\\n' $state
	;;
esac
`);
  chmodSync(`${folder}/systemctl`, 0o755);
  vi.stubEnv('PATH', `${folder}:${process.env['PATH'] ?? ''}`);
  return () => readFileSync(`${folder}/stops`, 'utf8').split('\n').length - 1;
}

const UNITS = ['avahi-daemon.service', 'cups.service'];

test('who was started again amid the stop is stopped again', async () => {
  const stops = systemctl({ canceled: 2 });
  expect(await stopUnits(UNITS)).toEqual({ ok: true, value: undefined });
  expect(stops()).toBe(3);
});

test('whoever cannot be stopped is told with the words of systemctl', async () => {
  systemctl({ canceled: 99 });
  expect(await stopUnits(UNITS)).toMatchObject({ ok: false, failure: { reason: 'command-failed', output: expect.stringContaining(CANCELED) as string } });
});
