import type { HandoverPaths } from '../model/handover.ts';
import type { Result } from '../failure/result.ts';
import type { Step } from '../model/step.ts';
import type { Survey } from '../model/survey.ts';
import type { Workload } from '../model/workload.ts';

export interface StateContext {
  readonly paths: HandoverPaths;
  readonly survey: Survey;
  readonly carried: readonly Workload[];
}

/**
 * A kind of machine state besides tasks. `carry` reads what it needs now and returns the steps that bring it into the
 * hand-over; the scripts in boot/ put it back. What cannot be read is a failure: it would be lost.
 */
export interface StateKind {
  readonly name: string;
  carry(context: StateContext): Promise<Result<readonly Step[]>>;
}
