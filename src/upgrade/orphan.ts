import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ok, type Result } from '../failure/result.ts';
import { begunFile } from './begun.ts';
import type { GuardOrder } from './guard.ts';
import { lockUpgrade, upgradingProcess } from './lock.ts';
import { endAbandoned } from './reuse.ts';
import { parseMessage } from './watch.ts';

/** Whoever is to undo it needs the processors more. */
const POLL_MILLISECONDS = 500;

function orderOf(id: string): GuardOrder | undefined {
  try {
    const message = parseMessage(readFileSync(begunFile(id), 'utf8').split('\n')[0] ?? '');
    return message !== undefined && 'id' in message ? message : undefined;
  } catch {
    return undefined; // all is undone
  }
}

/**
 * The guard of an upgrade was killed: undoes what that upgrade has begun if it was killed, too; otherwise it does so itself. So does
 * another upgrade, should one have begun.
 */
export async function undoOrphan(id: string): Promise<Result<undefined>> {
  for (let order = orderOf(id); order !== undefined; order = orderOf(id)) {
    const lock = upgradingProcess() === undefined ? lockUpgrade() : undefined;
    if (lock?.ok !== true) {
      await sleep(POLL_MILLISECONDS);
      continue;
    }
    try {
      return await endAbandoned(order.store, order.kernel);
    } finally {
      lock.value.release();
    }
  }
  return ok(undefined);
}
