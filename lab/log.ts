/** Takes one plain line of progress. */
export type Log = (line: string) => void;

export const logToStderr: Log = (line) => {
  process.stderr.write(`lab: ${line}\n`);
};

/** Runs a part of the work that takes a while: says that it begins, and how long it took. */
export async function step<T>(log: Log, what: string, work: () => Promise<T>): Promise<T> {
  const begin = performance.now();
  log(`${what} …`);
  const result = await work();
  log(`${what} … ${seconds(performance.now() - begin)}`);
  return result;
}

export function seconds(milliseconds: number): string {
  const value = milliseconds / 1000;
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)} s`;
}
