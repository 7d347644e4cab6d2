import { LabError } from '../errors.js';

const CLOUD_KERNEL = /^linux-image-([0-9][^ ]*-cloud-amd64)$/;

/** The newest signed cloud kernel among package names, as its release (what `uname -r` will say). */
export function newestKernel(packageNames: readonly string[]): string | undefined {
  return packageNames
    .flatMap((name) => CLOUD_KERNEL.exec(name)?.[1] ?? [])
    .filter((release) => !/[-~]rc\d/.test(release))
    .sort(compareReleases)
    .at(-1);
}

/** Orders kernel releases by the numbers in them: 6.12.9 before 6.12.117. */
export function compareReleases(a: string, b: string): number {
  const numbersOfA = numbers(a);
  const numbersOfB = numbers(b);
  for (let i = 0; i < Math.max(numbersOfA.length, numbersOfB.length); i++) {
    const difference = (numbersOfA[i] ?? 0) - (numbersOfB[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function numbers(release: string): number[] {
  return release.replace(/-cloud-amd64$/, '').split(/[^0-9]+/).filter(Boolean).map(Number);
}

/** The kernel that the user means: `newest`, the whole release, or its beginning. */
export function chooseKernel(wanted: string, available: readonly string[]): string {
  const sorted = [...available].sort(compareReleases);
  const chosen =
    wanted === 'newest'
      ? sorted.at(-1)
      : (sorted.find((release) => release === wanted) ??
        sorted.findLast((release) => release.startsWith(wanted) && !/\d/.test(release.charAt(wanted.length))));
  if (chosen === undefined) {
    throw new LabError(`the image has no kernel ${wanted}`, {
      hint: `it has: newest, ${sorted.join(', ')}`,
    });
  }
  return chosen;
}
