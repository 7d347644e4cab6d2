/** A failure that was to be expected: says what happened, why, and what to do about it. */
export class LabError extends Error {
  override readonly name: string = 'LabError';
  readonly hint: string | undefined;

  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint;
  }
}

/** The lab was asked for something that makes no sense. */
export class UsageError extends LabError {
  override readonly name = 'UsageError';
}

/** The lines a person reads when something failed: the error, its causes, what to do. */
export function describeError(error: unknown): string {
  if (!(error instanceof LabError)) {
    return `error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  }
  const lines = [`error: ${error.message}`];
  for (let cause = error.cause; cause instanceof Error; cause = cause.cause) {
    lines.push(` -> ${cause.message}`);
  }
  if (error.hint !== undefined) lines.push(`hint: ${error.hint}`);
  return lines.join('\n');
}
