import { Random } from '../../../lab/random.js';

/** A prime, that no buffer or packet is a divisor of. */
const BLOCK_SIZE = 65_521;

/** Every stream goes round and round in this block, from a byte of its own on; the receivers have it as a file. */
export function numbersOf(seed: number): Buffer {
  const random = new Random(seed);
  return Buffer.from(Array.from({ length: BLOCK_SIZE }, () => random.whole(256)));
}
