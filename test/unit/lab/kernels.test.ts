import { expect, test } from 'vitest';
import { chooseKernel, compareReleases, newestKernel } from '../../../lab/image/kernels.js';

const NAMES = [
  'linux-image-cloud-amd64',
  'linux-image-6.12.9+bpo-cloud-amd64',
  'linux-image-7.3.4+deb13-cloud-amd64-unsigned',
  'linux-image-7.3.4+deb13-cloud-amd64-dbg',
  'linux-image-7.3.4+deb13-cloud-amd64',
  'linux-image-7.3.4+deb13-amd64',
  'linux-image-7.3.4+deb13-rt-amd64',
  'linux-image-7.10.1+deb13-cloud-arm64',
  'linux-image-7.1.12+deb13-cloud-amd64',
  'linux-image-7.4~rc2-cloud-amd64',
];

test('the newest kernel is the signed cloud kernel with the highest version', () => {
  expect(newestKernel(NAMES)).toBe('7.3.4+deb13-cloud-amd64');
  expect(newestKernel(['nginx'])).toBeUndefined();
});

test('versions are compared as numbers', () => {
  expect(compareReleases('6.12.9+deb13-cloud-amd64', '6.12.117+deb13-cloud-amd64')).toBeLessThan(0);
  expect(compareReleases('7.3.4+deb13.1-cloud-amd64', '7.3.4+deb13-cloud-amd64')).toBeGreaterThan(0);
  expect(compareReleases('7.3.4+deb13-cloud-amd64', '7.3.4+deb13-cloud-amd64')).toBe(0);
});

test('a kernel is named by its whole release, by its beginning, or as the newest', () => {
  const available = ['7.3.4+deb13-cloud-amd64', '6.12.117+deb13-cloud-amd64', '6.1.9-cloud-amd64'];
  expect(chooseKernel('6.12', available)).toBe('6.12.117+deb13-cloud-amd64');
  expect(chooseKernel('6.1', available)).toBe('6.1.9-cloud-amd64');
  expect(chooseKernel('newest', available)).toBe('7.3.4+deb13-cloud-amd64');
  expect(chooseKernel('7.3.4+deb13-cloud-amd64', available)).toBe('7.3.4+deb13-cloud-amd64');
  expect(() => chooseKernel('5.10', available)).toThrow('the image has no kernel 5.10');
});
