import type { Step } from '../model/step.ts';
import { proofOf } from '../park/prove.ts';
import { readImprint } from '../snapshot/imprint-file.ts';

/**
 * What a step would do may have been done: an image that is proven current is not made again, nor is a snapshot that an
 * upgrade that was prepared has.
 */
export function isDone({ action }: Step): boolean {
  switch (action.kind) {
    case 'dump':
      return proofOf(action.unit) !== undefined;
    case 'snapshot':
    case 'snapshot-whole':
      return readImprint(action.workload) !== undefined;
    default:
      return false;
  }
}
