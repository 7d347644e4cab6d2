import type { Result } from '../../src/failure/result.ts';
import { words } from '../../src/failure/words.ts';

/** The value of a result that is to be there. */
export function valueOf<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  const { what, why } = words(result.failure);
  throw new Error(`${what}: ${why ?? ''}`);
}
