import { rmSync } from 'node:fs';

/**
 * What an upgrade has begun, and who undoes it if nobody else is left: what its guard is told, a JSON object a line
 * (src/upgrade/guard.ts). In memory, as is all that these steps have done to the kernel: both go with it.
 */
export const begunFile = (id: string): string => `/run/segue/begun-${id}`;

/** All of it is undone, or gone on with by another. */
export const forgetBegun = (id: string): void => { rmSync(begunFile(id), { force: true }); };
