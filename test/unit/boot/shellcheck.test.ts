import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const BOOT = 'boot';
const scripts = readdirSync(BOOT);
const inPerl = (name: string): boolean => readFileSync(`${BOOT}/${name}`, 'utf8').startsWith('#!/usr/bin/perl');

/** What is meant as it is written. */
const ACCEPTED = [
  'SC1091', // handover.sh is where it is installed
  'SC2034', // it sets variables for those that read it
  'SC2174', // /run is there: -m counts for the last folder only
  'SC2015', // A && B || C: C is to run when either fails
];

test.each(scripts.filter((name) => !inPerl(name)))('shellcheck has nothing to say about boot/%s', (name) => {
  const shell = readFileSync(`${BOOT}/${name}`, 'utf8').startsWith('#!/bin/bash') ? 'bash' : 'sh';
  const { stdout, stderr, status } = spawnSync('shellcheck', [`--shell=${shell}`, `--exclude=${ACCEPTED.join(',')}`, '--format=gcc', `${BOOT}/${name}`], { encoding: 'utf8' });
  expect({ stdout, stderr, status }).toEqual({ stdout: '', stderr: '', status: 0 });
});

test.each(scripts.filter(inPerl))('perl has nothing to say about boot/%s', (name) => {
  const { stderr, status } = spawnSync('perl', ['-wc', `${BOOT}/${name}`], { encoding: 'utf8' });
  expect({ stderr, status }).toEqual({ stderr: `${BOOT}/${name} syntax OK\n`, status: 0 });
});

test('between the jump and the last restored workload no Node process runs', () => {
  for (const name of scripts) {
    const commands = readFileSync(`${BOOT}/${name}`, 'utf8').replaceAll(/^\s*#.*$/gm, '');
    expect(commands).not.toMatch(/\bnode\b|\bsegue (settle|status|check)\b/);
  }
});
