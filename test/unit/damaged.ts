import fc from 'fast-check';

/** What real output is damaged with: what parsers stumble over, and anything else. */
const scrap = fc.oneof(
  fc.constantFrom('', ' ', '\n', '\n\n', '\t', '\0', '\r', '\u2028', '"', '\\', '-', ':', '=', '*', '0', '-1', '4294967296', '9'.repeat(30), '{', '}', '[', ']', '(', ')', ' - ', '__proto__', 'constructor'),
  fc.string({ unit: 'binary', maxLength: 8 }),
);

type Damage = (text: string) => string;

const byLine = (change: (lines: string[], at: number, other: number) => string[]): fc.Arbitrary<Damage> =>
  fc.tuple(fc.nat(), fc.nat()).map(([at, other]) => (text) => {
    const lines = text.split('\n');
    return change(lines, at % lines.length, other % lines.length).join('\n');
  });

const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.nat().map((at): Damage => (text) => text.slice(0, at % (text.length + 1))),
  fc.tuple(fc.nat(), fc.nat(30), scrap).map(([at, length, put]): Damage => (text) => {
    const from = at % (text.length + 1);
    return `${text.slice(0, from)}${put}${text.slice(from + length)}`;
  }),
  fc.tuple(fc.nat(), scrap).map(([at, put]): Damage => (text) => {
    const from = at % (text.length + 1);
    return `${text.slice(0, from)}${put}${text.slice(from)}`;
  }),
  byLine((lines, at) => lines.toSpliced(at, 1)),
  byLine((lines, at, other) => lines.toSpliced(other, 0, lines[at]!)),
  byLine((lines, at, other) => lines.with(at, lines[other]!).with(other, lines[at]!)),
  byLine((lines, at) => lines.with(at, lines[at]!.trimEnd().split(/(?<= )(?! )/).slice(0, -1).join(''))),
  byLine((lines, at, column) => {
    const words = lines[at]!.split(/(?<= )(?! )/);
    return lines.with(at, words.toSpliced(column % words.length, 1).join(''));
  }),
);

/** Output of a real program, cut, with lines and columns lost, doubled and swapped, and with what does not belong there. */
export const damaged = (...texts: readonly string[]): fc.Arbitrary<string> =>
  fc.tuple(fc.constantFrom(...texts), fc.array(damage, { minLength: 1, maxLength: 4 })).map(([text, damages]) => damages.reduce((now, change) => change(now), text));

/** The same of a file of bytes. */
export const damagedBytes = (bytes: Buffer): fc.Arbitrary<Buffer> => {
  const change = fc.oneof(
    fc.nat().map((at) => (now: Buffer) => now.subarray(0, at % (now.length + 1))),
    fc.tuple(fc.nat(), fc.nat(255)).map(([at, byte]) => (now: Buffer) => (now.length === 0 ? now : Buffer.from(now.with(at % now.length, byte)))),
    fc.tuple(fc.nat(), fc.nat(20), fc.uint8Array({ maxLength: 12 })).map(([at, length, put]) => (now: Buffer) => {
      const from = at % (now.length + 1);
      return Buffer.concat([now.subarray(0, from), put, now.subarray(from + length)]);
    }),
  );
  return fc.array(change, { minLength: 1, maxLength: 4 }).map((changes) => changes.reduce((now, one) => one(now), bytes));
};

const LONG = 100_000;

/**
 * Input on which an expression that begins again at every place does not end. No test looks at the clock: one that takes
 * time by the square of these lengths takes minutes, and is ended.
 */
export const endless = (...pieces: readonly string[]): string[] => pieces.flatMap((piece) => {
  const run = piece.repeat(Math.ceil(LONG / piece.length));
  return [run, `${run}!`, `!${run}`, `${run}\u2028${run}`, `${run}\n${run}\r`];
});
