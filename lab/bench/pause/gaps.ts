/** A time without a good answer, from the last one before to the first one after: milliseconds since the epoch. */
export interface Gap {
  readonly from: number;
  readonly to: number;
}

export const lengthOf = ({ from, to }: Gap): number => to - from;

/** All gaps between these answers, whose times rise. */
function gapsOf(answers: readonly number[]): Gap[] {
  return answers.slice(1).map((to, index) => ({ from: answers[index] ?? to, to }));
}

export function longestGap(answers: readonly number[]): Gap | undefined {
  let longest: Gap | undefined;
  for (const gap of gapsOf(answers)) if (longest === undefined || lengthOf(gap) > lengthOf(longest)) longest = gap;
  return longest;
}

/**
 * The gap in which this moment lies: not the longest, as a service that comes back early may then have to wait for others.
 * Undefined when there is no answer before or none after.
 */
export function gapAround(answers: readonly number[], moment: number): Gap | undefined {
  return gapsOf(answers).find(({ from, to }) => from <= moment && moment < to);
}

/** The longest gap that began at this moment or later; nothing if there is none. */
export function longestAfter(answers: readonly number[], moment: number): number {
  const gap = longestGap(answers.filter((at) => at >= moment));
  return gap === undefined ? 0 : lengthOf(gap);
}
