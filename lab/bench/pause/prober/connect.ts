import { connect, type Socket } from 'node:net';

export interface Target {
  readonly host: string;
  readonly port: number;
}

/** A first packet that is lost is sent again after a second; by then fifty other probes have sent theirs. */
const CONNECT_MS = 950;

/** A connection; fails when it does not come about at the first try. */
export async function connected({ host, port }: Target, limit?: AbortSignal): Promise<Socket> {
  const socket = connect({ host, port, noDelay: true });
  const signal = AbortSignal.any([...(limit === undefined ? [] : [limit]), AbortSignal.timeout(CONNECT_MS)]);
  return await new Promise((resolve, reject) => {
    const end = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    const giveUp = (): void => end(new Error('no connection'));
    signal.addEventListener('abort', giveUp, { once: true });
    socket.once('error', end);
    socket.once('connect', () => {
      signal.removeEventListener('abort', giveUp);
      socket.off('error', end);
      resolve(socket);
    });
  });
}

/** Asks one question over a connection of its own, until what has come in is as it is to be. */
export async function converse(target: Target, question: string, isWhole: (answer: string) => boolean, limit: AbortSignal): Promise<void> {
  const socket = await connected(target, limit);
  try {
    await new Promise<void>((resolve, reject) => {
      let answer = '';
      limit.addEventListener('abort', () => reject(new Error('no answer')), { once: true });
      socket.on('error', reject);
      socket.on('close', () => reject(new Error(`closed after ${JSON.stringify(answer.slice(0, 40))}`)));
      socket.on('data', (data: Buffer) => {
        answer += data.toString('latin1');
        if (isWhole(answer)) resolve();
      });
      socket.write(question);
    });
  } finally {
    // No connection lingers in TIME_WAIT, on either side.
    socket.resetAndDestroy();
  }
}

/** The machine answers, if only by saying that nobody listens there. */
export async function refused(target: Target, limit: AbortSignal): Promise<void> {
  try {
    (await connected(target, limit)).resetAndDestroy();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ECONNREFUSED')) throw error;
  }
}
