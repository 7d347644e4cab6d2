import * as z from 'zod';
import { ok, type Result } from '../failure/result.ts';
import { parseJson, run, unreadable } from './command.ts';

/** Somebody who asks for something not to happen for now, as of systemd-inhibit(1). */
export interface Inhibitor {
  /** `shutdown`, `sleep`, `idle`, … */
  readonly what: readonly string[];
  readonly who: string;
  readonly why: string;
  /** `block`, `block-weak` or `delay` */
  readonly mode: string;
  readonly pid: number;
}

const LIST = ['busctl', '--json=short', 'call', 'org.freedesktop.login1', '/org/freedesktop/login1', 'org.freedesktop.login1.Manager', 'ListInhibitors'];
/** A bus that does not answer keeps nobody waiting. */
const SECONDS = 5;

// a(ssssuu): what, who, why, mode, user, process (org.freedesktop.login1(5)).
const Reply = z.object({ data: z.tuple([z.array(z.tuple([z.string(), z.string(), z.string(), z.string(), z.number(), z.number()]))]) });

/** None where there is no logind whom one could have asked. */
export async function inhibitors(): Promise<Result<Inhibitor[]>> {
  const { exitCode, stdout } = await run(LIST, { limitSeconds: SECONDS });
  return exitCode === 0 ? parseInhibitors(stdout) : ok([]);
}

export function parseInhibitors(text: string): Result<Inhibitor[]> {
  const reply = Reply.safeParse(parseJson(text));
  if (!reply.success) return unreadable(LIST, text);
  return ok(reply.data.data[0].map(([what, who, why, mode, , pid]) => ({ what: what.split(':'), who, why, mode, pid })));
}
