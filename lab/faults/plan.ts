import type { PlannedStep } from '../inside/attempt.js';

/** A step as `segue upgrade --dry-run` prints it. */
export interface DryStep extends PlannedStep {
  readonly phase: string;
}

/** The steps of a dry run; what is written into files is skipped, whatever it looks like. */
export function parsePlan(text: string): DryStep[] {
  const steps: DryStep[] = [];
  let phase = '';
  let written = false;
  let blank = true;
  for (const line of text.split('\n')) {
    if (written) written = line !== 'EOF';
    else if (line.startsWith('#### ')) phase = line.slice('#### '.length);
    else if (line.startsWith('# ') && blank) {
      const [, unit, title] = /^# (?:(\S+\.(?:service|scope)): )?(.*)$/.exec(line) ?? [];
      steps.push({ phase, title: title ?? '', ...(unit === undefined ? {} : { unit }) });
    } else written = line.endsWith("<<'EOF'");
    blank = line === '';
  }
  return steps;
}

/**
 * The steps at which a fault is tried. The many small files that prepare writes are one of each kind: nothing stands
 * still yet, and for which service it is makes no difference.
 */
export function moments(steps: readonly DryStep[]): DryStep[] {
  const seen = new Set<string>();
  return steps.filter(({ phase, title }) => {
    if (phase !== 'prepare') return true;
    const kind = title.replace(/\d+/g, 'N');
    return !seen.has(kind) && seen.add(kind);
  });
}
