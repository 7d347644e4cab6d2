import { openLab, type Lab } from '../lab.js';
import { logToStderr } from '../log.js';

/** The lab as every command but `up` needs it. */
export function lab(): Lab {
  return openLab({ log: logToStderr });
}

export const nameParameter = { parse: String, brief: 'The guest', placeholder: 'NAME' } as const;
