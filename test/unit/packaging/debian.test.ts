import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as z from 'zod';

const Package = z.object({
  version: z.string(),
  license: z.string(),
  engines: z.object({ node: z.string() }),
});
const Lock = z.object({
  packages: z.record(
    z.string(),
    z.object({ license: z.string().optional(), dev: z.boolean().optional(), devOptional: z.boolean().optional() }),
  ),
});

const main = Package.parse(JSON.parse(readFileSync('package.json', 'utf8')));
const control = readFileSync('debian/control', 'utf8');
const copyright = readFileSync('debian/copyright', 'utf8');

/** The licence that debian/copyright gives a path: in its format, the last stanza that matches is the one that counts. */
function licenceOf(path: string): string | undefined {
  const stanzas = copyright.split('\n\n').filter((stanza) => stanza.startsWith('Files:'));
  const matching = stanzas.filter((stanza) => {
    const patterns = (/^Files:((?:.*\n)(?: .*\n)*)/.exec(`${stanza}\n`)?.[1] ?? '').trim().split(/\s+/);
    return patterns.some((pattern) => {
      const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
      return new RegExp(`^${escaped.replaceAll('*', '.*')}$`).test(path);
    });
  });
  return /^License: (.*)$/m.exec(matching.at(-1) ?? '')?.[1];
}

/** A licence as npm calls it, in the words of debian/copyright. */
function inDebian(licence: string): string {
  return licence.replace(/^MIT$/, 'Expat').replace(/[()]/g, '').replaceAll(' AND ', ' and ');
}

test('debian/copyright names the licence of every npm package that can be in the bundle', () => {
  const { packages } = Lock.parse(JSON.parse(readFileSync('package-lock.json', 'utf8')));
  const bundled = Object.entries(packages).filter(
    ([path, { dev, devOptional }]) => path !== '' && dev !== true && devOptional !== true,
  );

  expect(bundled.length).toBeGreaterThan(3);
  for (const [path, { license }] of bundled) {
    expect(`${path}: ${licenceOf(`${path}/index.js`)}`).toBe(`${path}: ${inDebian(license ?? 'none')}`);
  }
});

test('debian/copyright has the text of every licence it names', () => {
  const named = [...copyright.matchAll(/^License: (.*)$/gm)].flatMap((match) => (match[1] ?? '').split(' and '));
  for (const licence of new Set(named)) {
    expect(copyright).toMatch(new RegExp(`^License: ${licence}\n .`, 'm'));
  }
  expect(licenceOf('src/cli/main.ts')).toBe(main.license);
});

test('the Debian package has the version of the npm package', () => {
  const changelog = readFileSync('debian/changelog', 'utf8');
  expect(/^segue \((.*)-\d+\)/.exec(changelog)?.[1]).toBe(main.version);
});

test('the manual page has the version of the npm package', () => {
  expect(readFileSync('man/segue.8', 'utf8')).toContain(`"segue ${main.version}"`);
});

test('the Debian package asks for the Node that the npm package asks for', () => {
  expect(control).toContain(`nodejs (>= ${main.engines.node.replace('>=', '')})`);
});
