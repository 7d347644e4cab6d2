/** The numbers; a release candidate comes before its release, and the architecture at the end is none. */
function parts(version: string): number[] {
  const numbers = version.replace(/-(cloud-|rt-)?(amd64|arm64|686|i386|x86_64|s390x|riscv64|ppc64el|armmp)\b.*$/s, '').match(/-?rc\d+|\d+/g) ?? [];
  return numbers.map((word) => (/rc/.test(word) ? Number(word.replace(/\D/g, '')) - 10_000 : Number(word)));
}

/** Orders versions by their numbers from left to right: 6.9 before 6.12, 4.2 before 4.2.1. */
export function compareVersions(a: string, b: string): number {
  const left = parts(a);
  const right = parts(b);
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const [one, other] = [left[index] ?? -1, right[index] ?? -1];
    if (one !== other) return one < other ? -1 : 1;
  }
  return a.localeCompare(b);
}
