import { createHash } from 'node:crypto';

/** What a cached thing was made from; anything that JSON can say. */
export type Ingredients = Readonly<Record<string, unknown>>;

/** A short name for a cached thing: the same ingredients give the same key, in whatever order they are listed. */
export function cacheKey(ingredients: Ingredients): string {
  return createHash('sha256').update(canonical(ingredients)).digest('hex').slice(0, 16);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([name, item]) => `${JSON.stringify(name)}:${canonical(item)}`).join(',')}}`;
  }
  return JSON.stringify(value) ?? 'null';
}
