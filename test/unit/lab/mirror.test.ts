import { expect, test } from 'vitest';
import { firstOfMirrorList, parseFetchOptions, parseIndexTargets } from '../../../lab/host/mirror.js';

test("the mirror is the one that serves Debian itself, whatever other vendors' sources come first", () => {
  const output = [
    'https://packages.example.com/apt/|example.com apt|example|main',
    'http://mirror.example.net/debian-security/|Debian|Debian-Security|main',
    'http://mirror.example.net/debian/|Debian|Debian|contrib',
    'http://mirror.example.net/debian/|Debian|Debian|main',
    'http://mirror.example.net/debian/|Debian Backports|Debian Backports|main',
  ].join('\n');
  expect(parseIndexTargets(output)).toBe('http://mirror.example.net/debian');
});

test('before the first apt-get update apt does not say whose the sources are, and no mirror is found', () => {
  expect(parseIndexTargets('http://mirror.example.net/debian/||| main\n')).toBeUndefined();
  expect(parseIndexTargets('')).toBeUndefined();
});

test('the first address of a mirror list counts, comments and priorities aside', () => {
  const list = '# our mirrors\n\nhttps://one.example.net/debian/\tpriority:1\nhttps://two.example.net/debian\n';
  expect(firstOfMirrorList(list)).toBe('https://one.example.net/debian');
});

test("a proxy of the host's apt is used for guests too, its defaults are left out", () => {
  const dump = [
    'Acquire "";',
    'Acquire::http "";',
    'Acquire::http::Proxy "http://proxy.example.net:3128";',
    'Acquire::http::User-Agent-Non-Interactive "true";',
    'Acquire::Check-Valid-Until "false";',
    'Acquire::IndexTargets::deb::Packages::Optional "0";',
    'APT::Install-Recommends "0";',
  ].join('\n');
  expect(parseFetchOptions(dump)).toEqual([
    'Acquire::http::Proxy "http://proxy.example.net:3128";',
    'Acquire::Check-Valid-Until "false";',
  ]);
});
