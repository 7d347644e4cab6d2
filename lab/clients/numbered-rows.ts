/** Compares the numbers that a database acknowledged with those that it holds. One complaint for each that is off. */
export function compareRows(acknowledged: number, held: readonly number[]): string[] {
  const times = new Map<number, number>();
  for (const n of held) times.set(n, (times.get(n) ?? 0) + 1);
  const complaints = [];
  for (let n = 1; n <= acknowledged; n++) {
    const count = times.get(n) ?? 0;
    if (count === 0) complaints.push(`row ${n} was acknowledged and is not there`);
    if (count > 1) complaints.push(`row ${n} is there ${count} times`);
    times.delete(n);
  }
  for (const n of times.keys()) complaints.push(`row ${n} is there and was never acknowledged`);
  return complaints;
}
