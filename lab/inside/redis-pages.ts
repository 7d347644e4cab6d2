/** So much that Redis runs again before it has all of its memory (boot/memory): some 40 MB. */
const PAGES = 8000;
/** While a script runs Redis answers nobody. */
const PARTS = 4;

const each = (part: number, script: string): string =>
  `redis-cli EVAL "local right = 0; for i = ${part * (PAGES / PARTS) + 1}, ${(part + 1) * (PAGES / PARTS)} do ${script} end; return right" 0`;
const all = (script: string): string => Array.from({ length: PARTS }, (_, part) => each(part, script)).join(' && ');

/** For the guest's shell: gives Redis pages, each with a number. */
export const FILL_REDIS = all("redis.call('SET', 'page:' .. i, string.rep(i .. ' ', 1000))");

/** How many of them Redis has as they were, a line for each part. */
export const COUNT_PAGES = all("if redis.call('GET', 'page:' .. i) == string.rep(i .. ' ', 1000) then right = right + 1 end");
export const ALL_PAGES = Array.from({ length: PARTS }, () => PAGES / PARTS);
