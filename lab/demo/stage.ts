const bright = process.stdout.isTTY && process.env['NO_COLOR'] === undefined && process.env['TERM'] !== 'dumb';
const begin = performance.now();

/** What the demo prints while it runs: a heading for each phase, and lines with the time since the demo began. */
export const stage = {
  heading(text: string): void {
    print(`\n${bright ? `\u001b[1m${text}\u001b[0m` : `== ${text}`}`);
  },

  line(text: string): void {
    print(`${elapsed()}  ${text}`);
  },

  /** What another program says, as it says it. */
  quote(text: string): void {
    for (const line of text.trimEnd().split('\n')) print(`${elapsed()}  | ${line}`);
  },

  plain(text: string): void {
    print(text);
  },
};

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function elapsed(): string {
  return seconds(performance.now() - begin).padStart(8);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
