const parts = (version: string): number[] => (version.match(/\d+/g) ?? []).map(Number);

/** Orders versions by their numbers from left to right: 6.9 before 6.12, 4.2 before 4.2.1. */
export function compareVersions(a: string, b: string): number {
  const left = parts(a);
  const right = parts(b);
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? -1) - (right[index] ?? -1);
    if (difference !== 0) return difference;
  }
  return a.localeCompare(b);
}
