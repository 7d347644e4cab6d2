import { expect, test } from 'vitest';
import { readScale } from '../../../lab/bench/scale.js';

test('the scale is a part of the usual size', () => {
  expect(readScale('0.02')).toBe(0.02);
  for (const wrong of ['0', '2', 'little']) expect(() => readScale(wrong)).toThrow('SEGUE_BENCH_SCALE');
});
